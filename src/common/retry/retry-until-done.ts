import { setTimeout as delay } from 'node:timers/promises';

const RETRY_INTERVAL_MS = 500;

export interface RetryOptions {
  /** Whether a later attempt may succeed. Any other error is thrown. */
  readonly isTransient: (error: unknown) => boolean;
  /** Ends the retries, for example when the application closes. */
  readonly signal: AbortSignal;
}

/**
 * Repeats an attempt, without a time limit, until it returns true. Returns without success when the signal aborts.
 *
 * @throws errors of the attempt that are not transient
 */
export async function retryUntilDone(
  attempt: () => Promise<boolean>,
  { isTransient, signal }: RetryOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await attempt()) {
        return;
      }
    } catch (error) {
      if (!isTransient(error)) {
        throw error;
      }
    }
    await delay(RETRY_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}
