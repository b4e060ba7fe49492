/** Node's limit: a longer timer fires immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The work exceeded its timeout. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';

  constructor() {
    super('no reply in time');
  }
}

export interface TimeoutOptions {
  /** Aborts the wait with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Default: a TimeoutError. */
  readonly onTimeout?: () => Error;
}

/**
 * Returns the result of the work, or throws after the timeout. A timeout does not cancel the work.
 *
 * @param timeoutMs values above Node's longest timer (24 days) mean no limit
 * @throws TimeoutError, or the error that `onTimeout` creates; or the reason of the signal
 */
export async function withTimeout<T>(
  timeoutMs: number,
  work: Promise<T>,
  { signal, onTimeout = () => new TimeoutError() }: TimeoutOptions = {},
): Promise<T> {
  if (timeoutMs > MAX_TIMER_MS) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onTimeout()), Math.max(0, timeoutMs));
    if (signal) {
      onAbort(signal, reject);
    }
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function onAbort(signal: AbortSignal, reject: (reason: Error) => void): void {
  if (signal.aborted) {
    reject(signal.reason as Error);
    return;
  }
  // A derived signal: Node warns about more than ten listeners on one signal.
  const own = AbortSignal.any([signal]);
  own.addEventListener('abort', () => reject(own.reason as Error), { once: true });
}
