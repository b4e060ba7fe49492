import { NotConfirmedError } from '../../redis-cluster/index.js';

/** More than callers who change one user at the same time. */
const MAX_ATTEMPTS = 50;

/** Another call has changed the same user meanwhile. */
export const CONFLICT = Symbol('CONFLICT');

/**
 * Repeats an attempt until it has no conflict.
 *
 * @param attempt reads, and writes if nothing has changed since
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
