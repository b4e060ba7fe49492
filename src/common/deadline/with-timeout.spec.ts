import { setTimeout as delay } from 'node:timers/promises';

import { TimeoutError, withTimeout } from './with-timeout.js';

const slow = async (): Promise<void> => delay(500, undefined, { ref: false });

describe('withTimeout', () => {
  it.each([Infinity, 2 ** 31])('waits as long as it takes when there are %d ms', async (ms) => {
    expect(await withTimeout(ms, delay(30, 'done'))).toBe('done');
  });

  it.each([-1, 0, 5])('does not wait longer than %d ms', async (ms) => {
    await expect(withTimeout(ms, slow())).rejects.toThrow(TimeoutError);
  });

  it('fails as the work fails', async () => {
    await expect(withTimeout(1000, Promise.reject(new RangeError()))).rejects.toThrow(RangeError);
  });

  it('throws the error of the caller when it is late', async () => {
    const onTimeout = (): Error => new RangeError('late');

    await expect(withTimeout(0, slow(), { onTimeout })).rejects.toThrow(RangeError);
  });

  it('ends with its signal, also with one that was aborted before', async () => {
    const aborting = new AbortController();
    const waiting = withTimeout(1000, slow(), { signal: aborting.signal });
    aborting.abort(new RangeError('closed'));

    await expect(waiting).rejects.toThrow(RangeError);
    await expect(withTimeout(1000, slow(), { signal: aborting.signal })).rejects.toThrow(
      RangeError,
    );
  });
});
