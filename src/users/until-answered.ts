import { Deadline } from '../common/deadline/index.js';
import { retryUntilDone } from '../common/retry/index.js';
import { HashingOverloadedError } from '../credentials/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';
import { UserStoreUnavailableError } from './store/user-store.js';

/** Longer than a failover. */
const TRY_TIMEOUT_MS = 10_000;
const MAX_OUTAGE_MS = 60_000;
/** Failures after which a new attempt may succeed. */
const TRANSIENT = [
  NotConfirmedError,
  RedisUnavailableError,
  UserStoreUnavailableError,
  HashingOverloadedError,
];

/**
 * Repeats a part of an operator's long work until it succeeds, for example during a failover. Only for work that can be repeated.
 *
 * @throws the first failure, when nothing has succeeded for a minute
 */
export async function untilAnswered<Result>(
  work: (deadline: Deadline) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(Deadline.after(TRY_TIMEOUT_MS));
  } catch (error) {
    if (!isTransient(error)) {
      throw error;
    }
    let done: { readonly result: Result } | undefined;
    const attempt = async (): Promise<boolean> => {
      done = { result: await work(Deadline.after(TRY_TIMEOUT_MS)) };
      return true;
    };
    await retryUntilDone(attempt, { isTransient, signal: AbortSignal.timeout(MAX_OUTAGE_MS) });
    if (!done) {
      throw error;
    }
    return done.result;
  }
}

function isTransient(error: unknown): boolean {
  return TRANSIENT.some((type) => error instanceof type);
}
