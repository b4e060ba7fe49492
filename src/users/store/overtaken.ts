import { NotConfirmedError } from '../../redis-cluster/index.js';

/** More than callers of one user that come at the same time. */
const MOST_ATTEMPTS = 50;

/** Somebody else has changed the same user meanwhile. */
export const OVERTAKEN = Symbol('OVERTAKEN');

/**
 * Begins again for as long as others are faster.
 *
 * @param attempt looks, and writes if nothing has changed since
 * @throws NotConfirmedError when others always are
 */
export async function untilFirst<Result>(
  attempt: () => Promise<Result | typeof OVERTAKEN>,
): Promise<Result> {
  for (let count = 0; count < MOST_ATTEMPTS; count += 1) {
    const result = await attempt();
    if (result !== OVERTAKEN) {
      return result;
    }
  }
  throw new NotConfirmedError('too many others change this user at the same time');
}
