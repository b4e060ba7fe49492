import { RedisCallMetrics } from './redis-call-metrics.js';
import { TooFewReplicasError } from './redis-cluster.errors.js';

const HOUR_MS = 3_600_000;

const replyError = (message: string): Error =>
  Object.assign(new Error(message), { name: 'ReplyError' });
const fail = async (calls: RedisCallMetrics, node: string, error: Error): Promise<void> => {
  await calls.observe('a.lua', node, () => Promise.reject(error)).catch(() => undefined);
};

describe('calls to Redis', () => {
  it('are counted by error code when they fail, without the text of the error', async () => {
    const calls = new RedisCallMetrics();
    const node = '10.0.0.1:6379';

    await fail(calls, node, replyError('MOVED 7638 10.0.0.2:6379'));
    await fail(calls, node, replyError('MOVED 1 10.0.0.3:6379'));
    await fail(calls, node, replyError("user keyslot has no permissions for 'secret-key'"));
    await fail(calls, node, new Error('no reply in time'));
    await fail(calls, node, new TooFewReplicasError(0, 1));

    expect(calls.errors).toEqual(
      [
        ['MOVED', 2],
        ['ERR', 1],
        ['no-answer', 1],
        ['not-confirmed', 1],
      ].map(([error, count]) => [{ call: 'a.lua', node, error }, count]),
    );
  });

  it('are removed from the metrics when a node leaves, but not while it is unreachable', async () => {
    let now = 0;
    const calls = new RedisCallMetrics(undefined, () => now);
    await fail(calls, '10.0.0.1:6379', new Error('no reply in time'));
    now += HOUR_MS / 2;
    await fail(calls, '10.0.0.2:6379', new Error('no reply in time'));

    now += HOUR_MS / 2 + 1;
    calls.forgetOldNodes();

    expect(calls.errors.map(([{ node }]) => node)).toEqual(['10.0.0.2:6379']);
    expect(calls.durations.map(([{ node }]) => node)).toEqual(['10.0.0.2:6379']);
  });
});
