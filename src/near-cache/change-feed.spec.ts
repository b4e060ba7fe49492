import { FakeClock } from '../../test/support/fake-clock.js';
import type { ChannelListener, RedisCluster } from '../redis-cluster/index.js';
import type { ChangeEvent } from './change-event.js';
import { ChangeFeed } from './change-feed.js';

const ANNOUNCED = {
  stage: 'announced',
  id: 'c1',
  at: '2026-11-30T12:00:00.000Z',
  subject: 'user.u1',
  instance: 'i1',
  holders: ['i2'],
};
const SETTLED = {
  ...ANNOUNCED,
  stage: 'settled',
  outcome: 'acknowledged',
  ms: 1.5,
  holders: [{ instance: 'i2', ms: null, outcome: 'not-confirmed' }],
};

/** One channel, without Redis. */
class Channel {
  readonly keys = { key: (_: readonly string[], part: string): string => part };
  private readonly listeners = new Set<ChannelListener>();

  async run(): Promise<void> {}

  subscribe(_: readonly string[], listener: ChannelListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  connection(isUp: boolean): void {
    this.listeners.forEach((listener) => (isUp ? listener.onUp() : listener.onDown()));
  }

  publish(channel: string, message: string): void {
    this.listeners.forEach((listener) => listener.onMessage(channel, message));
  }
}

describe('the feed of changes', () => {
  let clock: FakeClock;
  let channel: Channel;
  let feed: ChangeFeed;
  let received: ChangeEvent[];
  let stop: () => void;
  beforeEach(() => {
    clock = new FakeClock();
    channel = new Channel();
    feed = new ChangeFeed(channel as unknown as RedisCluster, clock);
    received = [];
    stop = feed.watch({ onChange: (event) => received.push(event), onConnection: () => undefined });
  });
  afterEach(() => stop());

  it('delivers each step of a change while somebody watches', () => {
    const change = feed.begin('user.u1', 'i1', [
      { instance: 'i1', leaseMs: 1000 },
      { instance: 'i2', leaseMs: 1000 },
    ]);
    change.settled('i2', 'acknowledged');
    change.end('acknowledged');

    expect(received).toMatchObject([
      { stage: 'announced', subject: 'user.u1', instance: 'i1', holders: ['i2'] },
      { stage: 'settled', holders: [{ instance: 'i2', ms: 0, outcome: 'acknowledged' }] },
    ]);
    stop();
    feed.begin('user.u2', 'i1', []).end('acknowledged');
    expect(received).toHaveLength(2);
  });

  it('says whether changes arrive, also when there was no connection yet', async () => {
    const told: boolean[] = [];
    const watch = (): (() => void) =>
      feed.watch({ onChange: () => undefined, onConnection: (isLive) => told.push(isLive) });
    const end = watch();
    expect(told).toEqual([]);
    await clock.advance(1000);
    expect(told).toEqual([false]);
    channel.connection(true);
    channel.connection(false);
    expect(told).toEqual([false, true, false]);
    watch()();
    expect(told).toEqual([false, true, false, false]);

    end();
    stop();
    const again = watch();
    channel.connection(true);
    await clock.advance(1000);
    expect(told.slice(4)).toEqual([true]);
    again();
    expect(clock.isAwaited).toBe(false);
  });

  it.each([
    'no JSON',
    'null',
    '{}',
    JSON.stringify({ ...ANNOUNCED, subject: null }),
    JSON.stringify({ ...SETTLED, holders: ['i2'] }),
  ])('ignores the message %s, and goes on', (message) => {
    channel.publish('changes', message);
    expect(received).toEqual([]);

    for (const event of [ANNOUNCED, SETTLED]) {
      channel.publish('changes', JSON.stringify(event));
    }
    expect(received).toEqual([ANNOUNCED, SETTLED]);
  });
});
