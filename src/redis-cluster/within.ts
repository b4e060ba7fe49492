import { setTimeout as delay } from 'node:timers/promises';

/** A timer that is set for longer ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The result of the work, or an error when it takes longer. The work itself goes on: the caller must expect that.
 *
 * @param signal ends the waiting with an error
 */
export async function within<T>(ms: number, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (ms > LONGEST_TIMER_MS) {
    return work;
  }
  const abort = new AbortController();
  try {
    return await Promise.race([
      work,
      delay(Math.max(0, ms), undefined, {
        signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
      }).then(() => {
        throw new Error('no reply in time');
      }),
    ]);
  } finally {
    abort.abort();
  }
}
