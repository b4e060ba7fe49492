import { setTimeout as delay } from 'node:timers/promises';

import { TimeoutError, withTimeout } from './with-timeout.js';

const slow = async (): Promise<void> => delay(500, undefined, { ref: false });

describe('withTimeout', () => {
  it.each([Infinity, 2 ** 31])('has no limit with %d ms', async (ms) => {
    expect(await withTimeout(ms, delay(30, 'done'))).toBe('done');
  });

  it.each([-1, 0, 5])('does not wait longer than %d ms', async (ms) => {
    await expect(withTimeout(ms, slow())).rejects.toThrow(TimeoutError);
  });

  it('throws the error of the work', async () => {
    await expect(withTimeout(1000, Promise.reject(new RangeError()))).rejects.toThrow(RangeError);
  });

  it('throws the error of onTimeout after the timeout', async () => {
    const onTimeout = (): Error => new RangeError('late');

    await expect(withTimeout(0, slow(), { onTimeout })).rejects.toThrow(RangeError);
  });

  it('ends when its signal is aborted, also with a signal that was aborted before', async () => {
    const aborting = new AbortController();
    const waiting = withTimeout(1000, slow(), { signal: aborting.signal });
    aborting.abort(new RangeError('closed'));

    await expect(waiting).rejects.toThrow(RangeError);
    await expect(withTimeout(1000, slow(), { signal: aborting.signal })).rejects.toThrow(
      RangeError,
    );
  });
});
