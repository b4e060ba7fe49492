import { ADMINISTRATOR, type Permission, type Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { RoleReader } from '../roles/read/index.js';

/**
 * Whether a caller has all permissions: by the current roles of the user and their current permissions, or by the permissions
 * of the client. The claims of the token grant nothing, but its scope can limit it.
 *
 * @returns undefined if the roles are not in memory: `mayUse` must decide
 */
export function recallMayUse(
  principal: Principal,
  required: readonly Permission[],
  reader: RoleReader,
): boolean | undefined {
  if (principal.kind === 'client') {
    return required.every((permission) => principal.permissions.includes(permission));
  }
  const { scope } = principal;
  if (scope && !required.every((permission) => scope.has(permission))) {
    return false;
  }
  const { roles } = principal.user;
  // Built in, so it also counts while the stored roles cannot be read.
  return required.length === 0 || roles.includes(ADMINISTRATOR)
    ? true
    : reader.recall()?.grant(roles, required);
}

/**
 * The same, with a look-up of the roles if they are not in memory.
 *
 * @throws RedisUnavailableError
 */
export async function mayUse(
  principal: Principal,
  required: readonly Permission[],
  reader: RoleReader,
  deadline: Deadline,
): Promise<boolean> {
  return (
    recallMayUse(principal, required, reader) ??
    (principal.kind === 'user' &&
      (await reader.current(deadline)).grant(principal.user.roles, required))
  );
}
