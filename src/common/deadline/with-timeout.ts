/** A timer that is set for longer ends at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Something took longer than it may. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';

  constructor() {
    super('no reply in time');
  }
}

export interface TimeoutOptions {
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal;
  /** Default: a TimeoutError. */
  readonly onTimeout?: () => Error;
}

/**
 * The result of the work, or an error when it takes longer. The work itself goes on: the caller must expect that.
 *
 * @param timeoutMs the longest timer of Node (24 days) and more: no limit
 * @throws TimeoutError, or what `onTimeout` makes; the reason of the signal
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
  // A signal of its own: Node warns of more than ten listeners on one.
  const own = AbortSignal.any([signal]);
  own.addEventListener('abort', () => reject(own.reason as Error), { once: true });
}
