import { withTimeout } from '../../src/common/deadline/index.js';

/**
 * Returns the result of the work. A timeout does not cancel the work.
 *
 * @param what the awaited state, for the message
 * @throws when the work takes longer
 */
export async function within<T>(what: string, timeoutMs: number, work: Promise<T>): Promise<T> {
  return withTimeout(timeoutMs, work, { onTimeout: () => notWithin(what, timeoutMs) });
}

export function notWithin(what: string, timeoutMs: number): Error {
  return new Error(`${what}: not within ${timeoutMs} ms`);
}
