import { Deadline } from '../../src/common/deadline/index.js';
import {
  newPrefix,
  noteKey,
  startCacheInstance,
  type CacheInstance,
} from '../support/near-cache.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { Shards, slotOf } from '../support/shards.js';

const LEASE_MS = 2000;

describe('the near cache during faults of Redis (98)', () => {
  let own: OwnCluster;
  let shards: Shards;
  let prefix: string;
  let a: CacheInstance;
  let b: CacheInstance;
  beforeEach(async () => {
    own = await startOwnCluster({ restartNodes: 'after-failover' });
    shards = await Shards.of(own);
    const { variables } = own;
    prefix = newPrefix();
    [a, b] = await Promise.all([
      startCacheInstance(prefix, { variables }),
      startCacheInstance(prefix, { variables }),
    ]);
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
  /** How often an instance has begun a lease with empty memory. */
  const joins = async (instance: CacheInstance): Promise<number> =>
    instance.metric('keyslot_near_cache_lease_events_total{event="joined"}');
  const inboxMaster = (instance: CacheInstance): number => shards.ofKey(instance.cache.leaseKey);
  const masterOf = (note: string): number => shards.masterOf(slotOf(`note.${note}`));
  /** The name of a note that both instances hold. It is not on this master. */
  const heldNote = async (avoidedMaster?: number): Promise<string> => {
    for (let count = 0; ; count += 1) {
      const note = `note-${count}`;
      if (masterOf(note) !== avoidedMaster) {
        await a.write(note, 'old');
        expect([await a.read(note), await b.read(note)]).toEqual(['old', 'old']);
        return note;
      }
    }
  };
  const untilUntrusted = async (instance: CacheInstance): Promise<unknown> =>
    eventually('trust has ended', 2 * LEASE_MS, () => Promise.resolve(!instance.cache.isTrusted));

  it('keeps its lease when the channel is lost, and delays no change', async () => {
    const note = await heldNote();
    const before = await joins(b);
    for (const port of await own.masters()) {
      await own.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    }

    expect(await timed(() => a.change(note, 'new'))).toBeLessThan(LEASE_MS / 2);

    expect(await b.read(note)).toBe('new');
    expect(await joins(b)).toBe(before);
  });

  it('keeps its lease only until expiry when the shard of its inbox is unavailable, and opens another inbox', async () => {
    const lost = inboxMaster(b);
    const note = await heldNote(lost);
    const before = b.cache.leaseKey;
    shards.nodesOf(lost).forEach((port) => own.signal(port, 'SIGSTOP'));

    await untilUntrusted(b);
    expect(b.cache.peek(noteKey(note))).toBeUndefined();

    await b.cache.untilTrusted();
    expect(b.cache.leaseKey).not.toBe(before);
    expect(inboxMaster(b)).not.toBe(lost);
    await a.change(note, 'new');
    expect(await b.read(note)).toBe('new');
  });

  it('does so when it requires a replica that does not confirm the renewal, and a change waits for it', async () => {
    await b.close();
    const variables = { ...own.variables, REDIS_REQUIRE_REPLICA: 'true' };
    b = await startCacheInstance(prefix, { variables });
    const master = inboxMaster(b);
    const note = await heldNote(master);
    own.signal(await own.replicaOf(master), 'SIGSTOP');

    const change = a.change(note, 'new');

    await untilUntrusted(b);
    expect(b.cache.peek(noteKey(note))).toBeUndefined();
    await change;
    expect(await b.read(note)).toBe('new');
    await b.cache.untilTrusted();
    expect(inboxMaster(b)).not.toBe(master);
    expect(await b.read(note)).toBe('new');
  });

  it('makes no change whose begin it could not record, and recovers after the failover', async () => {
    const note = await heldNote();
    own.signal(masterOf(note), 'SIGKILL');

    let hasWritten = false;
    const change = a.cache.change(
      `note.${note}`,
      () => Promise.resolve((hasWritten = true)),
      Deadline.none,
    );
    await expect(change).rejects.toThrow('was not confirmed');
    expect(hasWritten).toBe(false);

    await eventually('a change works again', 15_000, async () =>
      a.change(note, 'new').then(
        () => true,
        () => false,
      ),
    );
    expect(await b.read(note)).toBe('new');
    await b.cache.untilTrusted();
    expect(await b.read(note)).toBe('new');
  });

  it('confirms no change that it could not announce', async () => {
    const lost = inboxMaster(b);
    const note = await heldNote(lost);
    own.signal(lost, 'SIGKILL');

    // Shorter than a failover, and than the lease.
    const call = a.cache.changeInSlot(`note.${note}`, a.writeOf(note, 'new'), Deadline.after(500));
    await expect(call).rejects.toThrow('was not confirmed');
    expect(await a.read(note)).toBe('new');

    await a.cache.settle(`note.${note}`, Deadline.none);
    expect(await b.read(note)).toBe('new');
  });
});
