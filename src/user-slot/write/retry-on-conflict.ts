import { NotConfirmedError } from '../../redis-cluster/index.js';

/** More than the number of callers that change one user at the same time. */
const MAX_ATTEMPTS = 50;

/** The result of an attempt that failed because another call has changed the same user. */
export const CONFLICT = Symbol('CONFLICT');

/**
 * Retries an attempt until it has no conflict.
 *
 * @param attempt reads the user, and writes only if nothing has changed since
 * @throws NotConfirmedError after too many conflicts
 */
export async function retryOnConflict<Result>(
  attempt: () => Promise<Result | typeof CONFLICT>,
): Promise<Result> {
  for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
    const result = await attempt();
    if (result !== CONFLICT) {
      return result;
    }
  }
  throw new NotConfirmedError('too many others change this user at the same time');
}
