import { once } from 'node:events';

import { eventually } from '../support/own-cluster.js';
import { connectRedis, dumpFrom } from '../support/redis.js';

describe('the support of the tests', () => {
  it('does not report the keys of a master as missing when the client has lost the connection', async () => {
    const cluster = await connectRedis();
    try {
      const [master] = cluster.nodes('master');
      const ended = once(master!, 'end');
      master!.disconnect();
      await ended;

      await expect(dumpFrom(cluster, 'no-such-prefix:')).rejects.toThrow(
        /connected to the masters of \d+ of 16384 slots only/,
      );
    } finally {
      cluster.disconnect();
    }
  });

  it('ends a wait for a condition that never answers', async () => {
    const never = async (): Promise<boolean> => new Promise(() => undefined);

    await expect(eventually('the answer', 50, never)).rejects.toThrow(
      'the answer: not within 50 ms',
    );
  });
});
