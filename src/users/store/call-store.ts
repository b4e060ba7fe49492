import type { Deadline } from '../../common/deadline/index.js';
import { callPort } from '../../common/port-call/index.js';
import type { Secret } from '../../common/secret/index.js';
import { UserStoreError, UserStoreUnavailableError } from './user-store.js';

const ERRORS = {
  port: 'the user store',
  Unavailable: UserStoreUnavailableError,
  Fault: UserStoreError,
};

/**
 * Calls a user store or a user directory of the application, see `callPort`.
 *
 * @throws UserStoreUnavailableError, UserStoreError
 */
export async function callStore<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  return callPort(ERRORS, deadline, secrets, call);
}
