import type { KeyBuilder } from '../../redis-cluster/index.js';

/**
 * The near cache subject of the stored roles. Its slot (11736) is close to that of the signing keys (11288). So in clusters of up
 * to six shards, one shard usually has both. That shard has no inbox, and a request that needs the roles needs the keys as
 * well.
 */
export const ROLES_SUBJECT = 'roles.all';

/** Begins the field of a role in the hash of the stored roles. The rest of the field is the name. */
export const ROLE_FIELD = 'role:';

/** The stored value of a role, as JSON. */
export interface StoredRole {
  /** Always empty for `admin`, which grants every permission. */
  readonly permissions: readonly string[];
  /** Whether users with the role need a second factor. Absent: no. */
  readonly requireSecondFactor?: true;
}

/** @returns the name of a key in the slot of the stored roles */
export function rolesKey(keys: KeyBuilder, part: 'set' | 'fence'): string {
  return keys.key(['roles', 'all'], part);
}
