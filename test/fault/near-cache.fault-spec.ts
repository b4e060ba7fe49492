import { Deadline } from '../../src/common/deadline/index.js';
import {
  newPrefix,
  noteKey,
  startCacheInstance,
  type CacheInstance,
} from '../support/near-cache.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const LEASE_MS = 2000;
const NOTE = 'one';

describe('the near cache during faults of Redis (98)', () => {
  let own: OwnCluster;
  let a: CacheInstance;
  let b: CacheInstance;
  beforeEach(async () => {
    own = await startOwnCluster({ restartNodes: 'after-failover' });
    const { variables } = own;
    const prefix = newPrefix();
    [a, b] = await Promise.all([
      startCacheInstance(prefix, { variables }),
      startCacheInstance(prefix, { variables }),
    ]);
    await a.write(NOTE, 'old');
    await b.read(NOTE);
  });
  afterEach(async () => {
    await Promise.all([a.close(), b.close()]);
    await own.remove();
  });

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begin = performance.now();
    await work();
    return performance.now() - begin;
  };
  /** How often an instance has joined with empty memory. */
  const joins = async (instance: CacheInstance): Promise<number> =>
    instance.metric('keyslot_near_cache_lease_events_total{event="joined"}');
  /** The master that serves the control log. */
  const controlMaster = async (): Promise<number> => {
    const key = a.redis.keys.key(['near-cache', 'control'], 'members');
    for (const port of await own.masters()) {
      const isThere = await own.cluster.call(port, 'EXISTS', key).catch(() => '0');
      if (isThere === '1') {
        return port;
      }
    }
    throw new Error('nobody serves the control log');
  };

  it('loses its lease when the channel is lost, and delays no change', async () => {
    const before = await joins(b);
    for (const port of await own.masters()) {
      await own.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    await eventually('the loss is noticed', 2000, async () => (await joins(b)) > before);
    expect(b.cache.peek(noteKey(NOTE))).toBeUndefined();

    expect(await timed(() => a.change(NOTE, 'new'))).toBeLessThan(LEASE_MS / 2);

    expect(await b.read(NOTE)).toBe('new');
    await b.cache.untilTrusted();
    expect(await b.read(NOTE)).toBe('new');
  });

  it('keeps its lease only until expiry when the control log is unavailable', async () => {
    own.signal(await controlMaster(), 'SIGSTOP');

    await eventually('trust has ended', 2 * LEASE_MS, () => Promise.resolve(!b.cache.isTrusted));

    expect(b.cache.peek(noteKey(NOTE))).toBeUndefined();
  });

  it('keeps its lease only until expiry when no replica confirms the renewal', async () => {
    const replica = await own.replicaOf(await controlMaster());
    own.signal(replica, 'SIGSTOP');

    await eventually('trust has ended', 2 * LEASE_MS, () =>
      Promise.resolve(!a.cache.isTrusted && !b.cache.isTrusted),
    );
    await expect(a.change(NOTE, 'new')).rejects.toThrow('was not confirmed');
    expect([a.cache.isTrusted, b.cache.isTrusted]).toEqual([false, false]);

    own.signal(replica, 'SIGCONT');
    await Promise.all([a.cache.untilTrusted(), b.cache.untilTrusted()]);
  });

  it('confirms no change that it could not announce, and recovers after the failover', async () => {
    own.signal(await controlMaster(), 'SIGKILL');

    let hasWritten = false;
    const change = a.cache.change(
      `note.${NOTE}`,
      () => Promise.resolve((hasWritten = true)),
      Deadline.none,
    );
    await expect(change).rejects.toThrow('was not confirmed');
    expect(hasWritten).toBe(false);

    await eventually('a change works again', 15_000, async () =>
      a.change(NOTE, 'new').then(
        () => true,
        () => false,
      ),
    );
    expect(await b.read(NOTE)).toBe('new');
    await b.cache.untilTrusted();
    expect(await b.read(NOTE)).toBe('new');
  });
});
