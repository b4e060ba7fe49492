import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import { CacheKey } from '../../src/near-cache/index.js';
import { Directory } from '../../src/near-cache/directory.js';
import { Inboxes } from '../../src/near-cache/inboxes.js';
import { LASTING_MAX_AGE_MS } from '../../src/near-cache/near-cache.options.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import {
  newPrefix,
  noteKey,
  startCacheInstance,
  type CacheInstance,
} from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';

const LEASE_MS = 2000;
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

  const subject = (): string => `note.${note}`;
  /** The note is changed as data that are not in its slot. */
  const changeElsewhere = async (by: CacheInstance, text: string): Promise<void> =>
    by.cache.change(subject(), () => by.write(note, text), Deadline.none);
  const readElsewhere = async (by: CacheInstance): Promise<string> =>
    by.cache.get(noteKey(note), () => by.load(note));
  const inboxes = (): Inboxes => a.context.get(Inboxes);
  const hold = async (instance: string, leaseMs = LEASE_MS): Promise<unknown> =>
    a.context.get(Directory).register(subject(), { instance, leaseMs }, false, Deadline.none);
  const renew = async (instance: string, number: number, position = 0): Promise<string> =>
    (await inboxes().renew({ instance, number, position, confirmed: 0 })).outcome;
  /** A crashed instance: it may hold the note, and is silent. */
  const addGhost = async (leaseMs = LEASE_MS): Promise<void> => {
    await renew('ghost', 1);
    await hold('ghost', leaseMs);
  };
  /** For how long an instance stays registered as a holder of the note. */
  const registrationMs = async (instance: string): Promise<number> => {
    const key = a.context.get(Directory).key(subject());
    const text = await withRedis((_, redis) => redis.hget(key, `holder:${instance}`));
    return Number(text?.split(' ')[1]) - Date.now();
  };
  const outcomes = async (outcome: string): Promise<number> =>
    a.metric(`keyslot_near_cache_changes_total{outcome="${outcome}"}`);
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

  it('keeps the promise also for data that are elsewhere', async () => {
    for (let round = 0; round < 50; round += 1) {
      const text = `version ${round}`;
      await Promise.all(instances.map((instance) => readElsewhere(instance)));

      await changeElsewhere(a, text);

      expect(a.cache.peek(noteKey(note))).toBeUndefined();
      expect(b.cache.peek(noteKey(note))).toBeUndefined();
      expect(await readElsewhere(b)).toBe(text);
    }
  });

  it('gives each change of a subject a higher number than those before, also from two instances', async () => {
    const numbers: number[] = [];
    const change = async (by: CacheInstance): Promise<void> =>
      by.cache.change(
        subject(),
        (number) => Promise.resolve(void numbers.push(Number(number))),
        Deadline.none,
      );
    for (let round = 0; round < 5; round += 1) {
      await change(a);
      await change(b);
    }

    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    expect(numbers).toHaveLength(10);
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
    // Acknowledged by a renewal, long before its lease would have expired.
    expect(took).toBeLessThan(LEASE_MS);
    expect(await a.metric('keyslot_near_cache_changes_total{outcome="acknowledged"}')).toBe(1);
  });

  it('waits once for the lease of a crashed holder, for any lease length', async () => {
    await addGhost(500);

    const took = await timed(() => a.change(note, 'new'));

    expect(took).toBeGreaterThan(500);
    expect(await outcomes('waited-for-lease')).toBe(1);
    // It may hold other subjects, too. Now it is known that it holds nothing.
    await eventually('the inbox is closed', 1000, async () => {
      const post = await inboxes().post('ghost', 'a 1 b', Deadline.none);
      return post === undefined;
    });
    await hold('ghost', 500);
    expect(await timed(() => a.change(note, 'newer'))).toBeLessThan(500);
  });

  it('writes in a closed inbox, so that a master that was replaced cannot report it as closed', async () => {
    await renew('ghost', 1);
    await inboxes().close('ghost');
    const expiresSoon = async (): Promise<boolean> =>
      withRedis(async (_, cluster) => (await cluster.pttl(inboxes().leaseKey('ghost'))) <= 600_000);
    await withRedis((_, cluster) => cluster.pexpire(inboxes().leaseKey('ghost'), 600_000));
    expect(await expiresSoon()).toBe(true);

    expect(await inboxes().post('ghost', 'a 1 b', Deadline.none)).toBeUndefined();

    expect(await expiresSoon()).toBe(false);
  });

  it('keeps inboxes apart from the shard of a subject, unless any shard will do', () => {
    const masterOfNote = a.redis.masterOf(a.context.get(Directory).key(subject()));
    const chosen = (isApart: boolean): Set<string | undefined> =>
      new Set(
        Array.from({ length: 60 }, () =>
          inboxes().masterOf(inboxes().newInstance(undefined, isApart)),
        ),
      );
    expect(chosen(true).has(masterOfNote)).toBe(true);

    a.cache.keepApartFrom(subject());

    expect(chosen(true).has(masterOfNote)).toBe(false);
    expect(chosen(true).size).toBe(2);
    expect(chosen(false).has(masterOfNote)).toBe(true);
  });

  it('does not wait for a crashed instance that does not hold the subject', async () => {
    await renew('ghost', 1);

    expect(await timed(() => a.change(note, 'new'))).toBeLessThan(LEASE_MS / 2);
  });

  it('waits for the lease of a holder whose inbox is lost, also when another change found that first', async () => {
    await hold('ghost');

    const took = await Promise.all([
      timed(() => a.change(note, 'new')),
      timed(() => b.change(note, 'newer')),
    ]);

    expect(Math.min(...took)).toBeGreaterThan(LEASE_MS);
    expect(await renew('ghost', 2)).toBe('closed');
  });

  it('does not accept a late renewal as a sign of life', async () => {
    await renew('ghost', 1);
    await renew('ghost', 2);
    await hold('ghost');
    const change = timed(() => a.change(note, 'new'));
    await eventually('the change is posted', 1000, async () => {
      const posts = a.redis.keys.key(['inbox', 'ghost'], 'posts');
      return (await withRedis((_, cluster) => cluster.zcard(posts))) === 1;
    });

    expect(await renew('ghost', 1)).toBe('late');
    expect(await renew('ghost', 2)).toBe('renewed');

    expect(await change).toBeGreaterThan(LEASE_MS);
    await eventually(
      'the inbox is closed',
      1000,
      async () => (await renew('ghost', 3)) === 'closed',
    );
  });

  it('keeps the inbox of an instance that renews its lease while a change waits for it', async () => {
    await addGhost(500);
    const change = a.change(note, 'new');
    await eventually('the change is posted', 1000, async () => {
      const posts = a.redis.keys.key(['inbox', 'ghost'], 'posts');
      return (await withRedis((_, cluster) => cluster.zcard(posts))) === 1;
    });

    expect(await renew('ghost', 2)).toBe('renewed');
    await change;

    expect(await renew('ghost', 3, 1)).toBe('renewed');
  });

  it('accepts the position of a holder as its acknowledgement', async () => {
    await addGhost();
    const change = timed(() => a.change(note, 'new'));
    await eventually('the change is posted', 1000, async () => {
      const posts = a.redis.keys.key(['inbox', 'ghost'], 'posts');
      return (await withRedis((_, cluster) => cluster.zcard(posts))) === 1;
    });

    await renew('ghost', 2, 1);

    expect(await change).toBeLessThan(LEASE_MS);
    expect(await outcomes('acknowledged')).toBe(1);
  });

  it('tells the holders of a change that is still unfinished about the next change', async () => {
    await addGhost(1000);
    const first = timed(() => a.change(note, 'new'));
    await eventually('the first change is written', 1000, async () => {
      return (await b.load(note)) === 'new';
    });

    const second = await timed(() => b.change(note, 'newer'));

    // The ghost was moved to the first change. It may hold the state before both.
    expect(second).toBeGreaterThan(900);
    await first;
  });

  it('begins anew with empty memory when its inbox was closed', async () => {
    await b.read(note);
    const before = b.cache.leaseKey;
    const instance = /{inbox\.(.+)}/.exec(before)![1]!;
    await inboxes().close(instance);

    await eventually('b begins anew', 2000, () =>
      Promise.resolve(b.cache.isTrusted && b.cache.leaseKey !== before),
    );

    expect(b.cache.peek(noteKey(note))).toBeUndefined();
    expect(await b.read(note)).toBe('old');
    // Its former id is still registered as a holder of the note.
    expect(await timed(() => a.change(note, 'new'))).toBeLessThan(LEASE_MS / 2);
    expect(b.cache.peek(noteKey(note))).toBeUndefined();
  });

  it('does not shorten the registration of a lasting value', async () => {
    const directory = a.context.get(Directory);
    const ghost = { instance: 'ghost', leaseMs: LEASE_MS };
    await directory.register(subject(), ghost, true, Deadline.none);

    await directory.register(subject(), ghost, false, Deadline.none);

    expect(await registrationMs('ghost')).toBeGreaterThan(LASTING_MAX_AGE_MS);
  });

  it('stays a holder after `readAsHolder`, even if it keeps nothing in memory', async () => {
    const forgetful = await startCacheInstance(prefix, { maxAgeMs: 0 });
    instances.push(forgetful);
    let drops = 0;
    forgetful.cache.onDrop(subject(), () => (drops += 1));
    await forgetful.cache.readAsHolder(subject(), forgetful.readOf(note), Deadline.none);

    await a.change(note, 'new');

    expect(drops).toBe(1);
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

  it('makes changes although a service has written nonsense into the directory', async () => {
    const directory = a.redis.keys.key(['note', note], 'holders');
    await b.read(note);
    const nonsense = {
      number: '100000000000000000',
      'holder:x': 'x',
      'change:x': 'x',
      'change:y': '{}',
      'change:z': JSON.stringify({ beganAt: Date.now(), written: true, holders: { x: 1 } }),
    };
    await withRedis((_, cluster) => cluster.hset(directory, nonsense));
    const numbers = new Set<string>();

    for (const text of ['one', 'two']) {
      await a.change(note, text);
      expect(await b.read(note)).toBe(text);
      await a.cache.change(
        subject(),
        (number) => Promise.resolve(void numbers.add(number)),
        Deadline.none,
      );
    }

    // A second change with the number of the first one would count as its repetition, and would have no effect.
    expect(numbers.size).toBe(2);
    await a.cache.settle(`note.${note}`, Deadline.none);
  });

  it('keeps one note for all changes whose writes failed more than a minute ago', async () => {
    const directory = a.redis.keys.key(['note', note], 'holders');
    const fail = async (): Promise<void> =>
      expect(
        a.cache.change(subject(), () => Promise.reject(new Error('no write')), Deadline.none),
      ).rejects.toThrow('no write');
    const notes = async (): Promise<string[]> =>
      withRedis(async (_, cluster) =>
        (await cluster.hkeys(directory)).filter((field) => field.startsWith('change:')),
      );
    const old = { number: '1', beganAt: Date.now() - 61_000, written: false, holders: {} };
    await withRedis((_, cluster) =>
      cluster.hset(directory, 'change:x', JSON.stringify(old), 'change:y', JSON.stringify(old)),
    );
    await b.read(note);

    await fail();
    expect(await notes()).toHaveLength(1);
    await fail();
    expect(await notes()).toHaveLength(2);

    await a.write(note, 'new');
    await a.cache.settle(subject(), Deadline.none);
    expect(b.cache.peek(noteKey(note))).toBeUndefined();
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

  it('answers from memory only while it holds a lease', async () => {
    const newcomer = await startCacheInstance(prefix, { isDeaf: true, mayHoldLease: false });
    instances.push(newcomer);
    await newcomer.read(note);
    await newcomer.read(note);

    expect(newcomer.cache.isTrusted).toBe(false);
    expect(newcomer.loads.count).toBe(2);
  });

  it('closes its inbox when it stops, so that no change waits for it', async () => {
    await b.read(note);
    await b.close();
    instances = [a];

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
