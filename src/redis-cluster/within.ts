import { setTimeout as delay } from 'node:timers/promises';

/** The result of the work, or an error when it takes longer. The work itself goes on: whoever started it must expect that. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const abort = new AbortController();
  try {
    return await Promise.race([
      work,
      delay(Math.max(0, ms), undefined, { signal: abort.signal }).then(() => {
        throw new Error('no reply in time');
      }),
    ]);
  } finally {
    abort.abort();
  }
}
