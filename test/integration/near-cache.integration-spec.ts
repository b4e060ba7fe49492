import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import { CacheKey } from '../../src/near-cache/index.js';
import { LuaScript, NotConfirmedError } from '../../src/redis-cluster/index.js';
import {
  newPrefix,
  noteKey,
  startCacheInstance,
  type CacheInstance,
} from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';

const LEASE_MS = 2000;
const renewLease = LuaScript.fromFile(
  new URL('../../src/near-cache/scripts/renew-lease.lua', import.meta.url),
  (reply) => reply,
);

/** A promise and the function that resolves it. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('the near cache', () => {
  let prefix: string;
  let instances: CacheInstance[];
  let a: CacheInstance;
  let b: CacheInstance;
  let note: string;
  beforeEach(async () => {
    prefix = newPrefix();
    note = randomUUID();
    instances = await Promise.all([startCacheInstance(prefix), startCacheInstance(prefix)]);
    [a, b] = instances as [CacheInstance, CacheInstance];
    await a.write(note, 'old');
  });
  afterEach(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
  });

  const membersKey = (): string => a.redis.keys.key(['near-cache', 'control'], 'members');
  const members = async (): Promise<Record<string, string>> =>
    withRedis((_, cluster) => cluster.hgetall(membersKey()));
  /** A crashed member: it is in the member list and silent. */
  const addGhost = async (leaseMs = LEASE_MS): Promise<void> => {
    await withRedis((_, cluster) => cluster.hset(membersKey(), 'ghost', `1 ${leaseMs} 1`));
  };
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begin = performance.now();
    await work();
    return performance.now() - begin;
  };

  it('answers from memory, without asking Redis', async () => {
    expect(await b.read(note)).toBe('old');
    expect(await b.read(note)).toBe('old');
    expect(b.cache.peek(noteKey(note))).toBe('old');
    expect(b.loads.count).toBe(1);
  });

  it('never answers with the old state on any instance after a change has returned', async () => {
    for (let round = 0; round < 100; round += 1) {
      const text = `version ${round}`;
      await Promise.all(instances.map((instance) => instance.read(note)));

      await a.change(note, text);

      expect(a.cache.peek(noteKey(note))).toBeUndefined();
      expect(b.cache.peek(noteKey(note))).toBeUndefined();
      expect(await b.read(note)).toBe(text);
    }
  });

  it('invalidates all parts of a subject, but no other subject', async () => {
    const load = async (): Promise<string> => Promise.resolve('a value');
    const parts = ['one', 'two'].map((part) => new CacheKey<string>('subject', part));
    const other = new CacheKey<string>('other');
    await Promise.all([...parts, other].map((key) => b.cache.get(key, load)));

    await a.cache.change('subject', () => Promise.resolve(), Deadline.none);

    expect(parts.map((key) => b.cache.peek(key))).toEqual([undefined, undefined]);
    expect(b.cache.peek(other)).toBe('a value');
  });

  it('neither stores nor shares a load that began before a change', async () => {
    const [began, held] = [deferred<void>(), deferred<void>()];
    const slow = b.cache.get(noteKey(note), async () => {
      const text = await b.load(note);
      began.resolve();
      await held.promise;
      return text;
    });
    await began.promise;
    expect(await timed(() => a.change(note, 'new'))).toBeLessThan(LEASE_MS);

    expect(await b.read(note)).toBe('new');
    held.resolve();
    // The load began before the change returned, so it may return the old state.
    expect(await slow).toBe('old');
    expect(await b.read(note)).toBe('new');
  });

  it('shares one load among concurrent callers', async () => {
    const texts = await Promise.all(Array.from({ length: 20 }, () => b.read(note)));

    expect(new Set(texts)).toEqual(new Set(['old']));
    expect(b.loads.count).toBe(1);
  });

  it('shares no load without a lease', async () => {
    b.clock.wallMs += 3_600_000;
    expect(b.cache.isTrusted).toBe(false);

    await Promise.all(Array.from({ length: 5 }, () => b.read(note)));

    expect(b.loads.count).toBe(5);
  });

  it.each([
    ['the wall clock jumps ahead', { wallMs: 3_600_000, monotonicMs: 0 }],
    ['the wall clock is set back', { wallMs: -3_600_000, monotonicMs: 0 }],
    ['time has passed unnoticed', { wallMs: LEASE_MS, monotonicMs: LEASE_MS }],
    ['the machine has slept, and its monotonic clock with it', { wallMs: 5000, monotonicMs: 0 }],
  ])('stops using its memory when %s, and uses it again after a renewal', async (_, shift) => {
    await b.read(note);
    b.clock.wallMs += shift.wallMs;
    b.clock.monotonicMs += shift.monotonicMs;

    expect(b.cache.isTrusted).toBe(false);
    expect(b.cache.peek(noteKey(note))).toBeUndefined();
    expect(await b.read(note)).toBe('old');

    await b.cache.untilTrusted();
    expect(await b.read(note)).toBe('old');
  });

  it('applies changes that it missed on the channel at the next renewal', async () => {
    const deaf = await startCacheInstance(prefix, { isDeaf: true });
    instances.push(deaf);
    await deaf.read(note);

    const took = await timed(() => a.change(note, 'new'));

    expect(deaf.cache.peek(noteKey(note))).toBeUndefined();
    expect(await deaf.read(note)).toBe('new');
    // Acknowledged by its position in the log, long before its lease would have expired.
    expect(took).toBeLessThan(LEASE_MS);
    expect(await a.metric('keyslot_near_cache_changes_total{outcome="acknowledged"}')).toBe(1);
  });

  it('waits once for the lease of a crashed instance, for any lease length', async () => {
    await addGhost(500);

    const took = await timed(() => a.change(note, 'new'));

    expect(took).toBeGreaterThan(500);
    expect(await a.metric('keyslot_near_cache_changes_total{outcome="waited-for-lease"}')).toBe(1);
    await eventually('the ghost is gone', 1000, async () => !('ghost' in (await members())));
    expect(await timed(() => a.change(note, 'newer'))).toBeLessThan(500);
  });

  it('removes a crashed instance from the member list even without a change', async () => {
    await addGhost(500);

    await eventually('the ghost is gone', 5000, async () => !('ghost' in (await members())));
    expect(Object.keys(await members())).toHaveLength(2);
  });

  it('does not accept a late renewal as an acknowledgement', async () => {
    const keys = ['members', 'sequence', 'log'].map((part) =>
      a.redis.keys.key(['near-cache', 'control'], part),
    );
    const join = async (number: number): Promise<unknown> =>
      a.redis.runDurably(
        renewLease,
        keys,
        ['ghost', LEASE_MS, number, '', 60_000, 1000],
        Deadline.none,
      );
    await join(2);
    const { ghost } = await members();
    const change = timed(() => a.change(note, 'new'));
    await eventually('the change is told', 1000, async () => {
      const log = a.redis.keys.key(['near-cache', 'control'], 'log');
      return (await withRedis((_, cluster) => cluster.zcard(log))) === 1;
    });

    // A changed note would count as an acknowledgement.
    await join(2);
    await join(1);
    expect((await members())['ghost']).toBe(ghost);
    expect(await change).toBeGreaterThan(LEASE_MS);
  });

  it('fails a change whose write fails, and announces it at the next settle', async () => {
    await b.read(note);
    const failed = a.cache.change(
      `note.${note}`,
      async () => {
        await a.write(note, 'new');
        throw new NotConfirmedError('nobody knows');
      },
      Deadline.none,
    );
    await expect(failed).rejects.toThrow(NotConfirmedError);
    expect(await a.context.get(MetricsRegistry).metrics()).toMatch(
      /^keyslot_near_cache_changes_total\{outcome="not-confirmed"\} 1$/m,
    );
    expect(b.cache.peek(noteKey(note))).toBe('old');

    await a.cache.settle(`note.${note}`, Deadline.none);

    expect(b.cache.peek(noteKey(note))).toBeUndefined();
    expect(await b.read(note)).toBe('new');
  });

  it('keeps each unfinished change until that change is finished', async () => {
    const held = deferred<void>();
    const unfinished = a.cache.change(
      `note.${note}`,
      async () => {
        await held.promise;
        await a.write(note, 'newest');
        throw new NotConfirmedError('nobody was told');
      },
      Deadline.none,
    );
    await a.change(note, 'newer');
    await a.cache.settle(`note.${note}`, Deadline.none);
    expect(await b.read(note)).toBe('newer');
    held.resolve();
    await expect(unfinished).rejects.toThrow(NotConfirmedError);
    expect(b.cache.peek(noteKey(note))).toBe('newer');

    await a.cache.settle(`note.${note}`, Deadline.none);

    expect(b.cache.peek(noteKey(note))).toBeUndefined();
  });

  it('does not count a member that must join again as having acknowledged', async () => {
    const keys = ['members', 'sequence', 'log'].map((part) =>
      a.redis.keys.key(['near-cache', 'control'], part),
    );
    const renew = async (number: number, position: string): Promise<unknown> =>
      a.redis.runDurably(
        renewLease,
        keys,
        ['ghost', LEASE_MS, number, position, 60_000, 1000],
        Deadline.none,
      );
    await renew(1, '');

    const [hasJoined] = (await renew(2, '1')) as [number];

    expect(hasJoined).toBe(1);
    // The reply may not have arrived, and the previous lease may still be held.
    expect((await members())['ghost']).toBe(`0 ${LEASE_MS} 2`);
  });

  it('answers from memory only after its lease is registered', async () => {
    const newcomer = await startCacheInstance(prefix, { isDeaf: true, mayJoin: false });
    instances.push(newcomer);
    await newcomer.read(note);
    await newcomer.read(note);

    expect(newcomer.cache.isTrusted).toBe(false);
    expect(newcomer.loads.count).toBe(2);
  });

  it('leaves when it stops, so that no change waits for it', async () => {
    await b.close();
    instances = [a];

    expect(Object.keys(await members())).toHaveLength(1);
    expect(await timed(() => a.change(note, 'new'))).toBeLessThan(LEASE_MS / 2);
  });

  it('stays within its limits of entries and bytes, and evicts entries past their maximum age', async () => {
    const small = await startCacheInstance(prefix, {
      maxEntries: 10,
      maxBytes: 20_000,
      maxAgeMs: 60_000,
    });
    instances.push(small);
    const fill = async (name: string, length: number): Promise<string> =>
      small.cache.get(new CacheKey<string>(name), () => Promise.resolve('x'.repeat(length)));
    for (let count = 0; count < 50; count += 1) {
      await fill(`small ${count}`, 10);
    }
    expect(await small.metric('keyslot_near_cache_entries')).toBe(10);
    for (let count = 0; count < 50; count += 1) {
      await fill(`large ${count}`, 3000);
    }
    expect(await small.metric('keyslot_near_cache_entries')).toBe(3);
    expect(await small.metric('keyslot_near_cache_bytes')).toBeLessThanOrEqual(20_000);
    await fill('too large', 30_000);
    expect(small.cache.peek(new CacheKey('too large'))).toBeUndefined();

    await small.cache.change('large 49', () => Promise.resolve(), Deadline.none);
    expect(small.cache.peek(new CacheKey('large 49'))).toBeUndefined();
    small.clock.monotonicMs += 60_000;
    small.clock.wallMs += 60_000;
    await small.cache.untilTrusted();
    expect(small.cache.peek(new CacheKey('large 48'))).toBeUndefined();
  });
});
