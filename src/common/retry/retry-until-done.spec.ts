import { retryUntilDone } from './index.js';

const never = new AbortController().signal;

describe('retryUntilDone', () => {
  it('repeats after false and after a transient error, until true', async () => {
    const results = [() => false, fail, () => true];
    let attempts = 0;

    await retryUntilDone(async () => Promise.resolve().then(results[attempts++]), {
      isTransient: () => true,
      signal: never,
    });

    expect(attempts).toBe(3);
  });

  it('throws an error that is not transient', async () => {
    const retries = retryUntilDone(async () => Promise.resolve().then(fail), {
      isTransient: () => false,
      signal: never,
    });

    await expect(retries).rejects.toThrow('failed');
  });

  it('ends when the signal aborts, before, during and between attempts', async () => {
    const closing = new AbortController();
    let attempts = 0;
    const attempt = async (): Promise<boolean> => {
      attempts += 1;
      closing.abort();
      return Promise.resolve(false);
    };

    await retryUntilDone(attempt, { isTransient: () => true, signal: closing.signal });
    await retryUntilDone(attempt, { isTransient: () => true, signal: closing.signal });
    expect(attempts).toBe(1);

    const between = new AbortController();
    const retries = retryUntilDone(
      async () => {
        setImmediate(() => between.abort());
        return Promise.resolve(false);
      },
      { isTransient: () => true, signal: between.signal },
    );
    await expect(retries).resolves.toBeUndefined();
  });
});

function fail(): boolean {
  throw new Error('failed');
}
