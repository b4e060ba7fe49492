import type { KeyBuilder } from '../../redis-cluster/index.js';

/** The near cache subject of the stored roles. */
export const ROLES_SUBJECT = 'roles.stored';

/** Begins the field of a role in the hash of the stored roles. The rest of the field is the name. */
export const ROLE_FIELD = 'role:';

/** The stored value of a role, as JSON. */
export interface StoredRole {
  readonly permissions: readonly string[];
}

/** @returns the name of a key in the slot of the stored roles */
export function rolesKey(keys: KeyBuilder, part: 'set' | 'fence'): string {
  return keys.key(['roles', 'stored'], part);
}
