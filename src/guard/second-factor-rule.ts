import type { Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { RoleReader } from '../roles/read/index.js';

/**
 * Whether a user has no second factor, although a current role of the user requires one. Such a user can only add one.
 *
 * @returns undefined if the roles are needed and not in memory: `lacksSecondFactor` must decide
 */
export function recallLacksSecondFactor(
  principal: Principal,
  reader: RoleReader,
): boolean | undefined {
  if (principal.kind === 'client') {
    return false;
  }
  const { hasSecondFactor, roles } = principal.user;
  // Absent in the principal that a guard of the application has set.
  return hasSecondFactor !== false || roles.length === 0
    ? false
    : reader.recall()?.requireSecondFactor(roles);
}

/**
 * The same, with a look-up of the roles if they are not in memory.
 *
 * @throws RedisUnavailableError
 */
export async function lacksSecondFactor(
  principal: Principal,
  reader: RoleReader,
  deadline: Deadline,
): Promise<boolean> {
  return (
    recallLacksSecondFactor(principal, reader) ??
    (principal.kind === 'user' &&
      (await reader.current(deadline)).requireSecondFactor(principal.user.roles))
  );
}
