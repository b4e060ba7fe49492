import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';

import type { AuditEvent, TrailEvent, TrailQuery } from '../../src/audit/index.js';
import { RedisAuditTrail } from '../../src/audit/trail/redis-audit-trail.js';
import { TrailQueue } from '../../src/audit/trail/trail-queue.js';
import { TrailStore, type TrailStoreOptions } from '../../src/audit/trail/trail-store.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { auditTrailContract } from '../../src/contracts/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { dumpKeys, withRedis } from '../support/redis.js';

const DAY_MS = 86_400_000;
const OPTIONS: TrailStoreOptions = { retentionMs: 90 * DAY_MS, maxEventsPerType: 1_000_000 };
const WITHIN_MS = 10_000;

interface Trail {
  readonly trail: RedisAuditTrail;
  readonly queue: TrailQueue;
  /** Records events, and waits until they are in the trail. */
  readonly record: (events: readonly AuditEvent[]) => Promise<void>;
}

describe('the audit trail in Redis', () => {
  let prefix: string;
  let instance: CacheInstance;
  beforeEach(async () => {
    prefix = newPrefix();
    instance = await startCacheInstance(prefix);
  });
  afterEach(async () => instance.close());

  const trailOn = (options: Partial<TrailStoreOptions> = {}, on = instance): Trail => {
    const store = new TrailStore(on.redis, { ...OPTIONS, ...options });
    const queue = new TrailQueue(store, on.clock);
    return {
      trail: new RedisAuditTrail(store),
      queue,
      record: async (events) => {
        events.forEach((event) => queue.add(event));
        await eventually('the queue is empty', WITHIN_MS, () => Promise.resolve(queue.depth === 0));
      },
    };
  };
  const listed = async (
    { trail }: Trail,
    query: TrailQuery,
    limit = 100,
  ): Promise<TrailEvent[]> => {
    const events: TrailEvent[] = [];
    let after: string | undefined;
    do {
      const page = await trail.list(query, after, limit, Deadline.none);
      events.push(...page!.events);
      after = page!.next;
    } while (after !== undefined);
    return events;
  };
  const many = (count: number, event: Omit<AuditEvent, 'details'>): AuditEvent[] =>
    Array.from({ length: count }, (_, number) => ({ ...event, details: { number } }));
  /** The scripts that the work runs, by name. */
  const scriptsOf = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    const { redis } = instance;
    const run = redis.run.bind(redis);
    redis.run = async (script, ...rest) => {
      counts[script.name] = (counts[script.name] ?? 0) + 1;
      return run(script, ...rest);
    };
    await work();
    redis.run = run;
    return counts;
  };

  auditTrailContract({ describe, it }, () => trailOn());

  it('lists each event of two instances once and in order, while both record', async () => {
    const another = await startCacheInstance(prefix);
    const [one, two] = [trailOn(), trailOn({}, another)];
    const type = 'logged-in';
    await Promise.all([one.record(many(300, { type })), two.record(many(300, { type }))]);
    const before = await listed(one, {});
    expect(before).toHaveLength(600);

    const seen: TrailEvent[] = [];
    let after: string | undefined;
    do {
      many(20, { type }).forEach((event) => [one, two].forEach(({ queue }) => queue.add(event)));
      const page = await two.trail.list({ type }, after, 50, Deadline.none);
      seen.push(...page!.events);
      after = page!.next;
    } while (after !== undefined);
    await Promise.all([one.record([]), two.record([])]);
    await another.close();

    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(seen.slice(-600)).toEqual(before);
  });

  it('keeps the order of the events of one instance, also when its clock goes back a little', async () => {
    const own = trailOn();
    await own.record(many(3, { type: 'first' }));
    instance.clock.wallMs = -4000;
    await own.record(many(3, { type: 'second' }));

    const types = (await listed(own, {})).map(({ type }) => type);
    expect(types).toEqual([...Array<string>(3).fill('second'), ...Array<string>(3).fill('first')]);
  });

  it('has the right times again after the clock was wrong for a moment', async () => {
    const own = trailOn();
    const [type, later] = ['wrong', 'right'];
    instance.clock.wallMs = 10 * DAY_MS;
    await own.record([{ type }]);
    instance.clock.wallMs = 0;
    await own.record(many(100, { type: later }));

    const events = await listed(own, { type: later });
    expect(new Set(events.map(({ id }) => id)).size).toBe(100);
    for (const { at } of events) {
      expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(WITHIN_MS + 5000);
    }
  });

  it('costs one call for an event, and one for each user whom it concerns', async () => {
    const own = trailOn();
    const [userId, actorId] = [randomUUID(), randomUUID()];
    const costOf = async (event: AuditEvent): Promise<Record<string, number>> =>
      scriptsOf(async () => own.record([event]));

    const type = 'logged-in';
    expect(await costOf({ type })).toEqual({ 'record-events.lua': 1 });
    expect(await costOf({ type, userId, actorId: userId })).toEqual({
      'record-events.lua': 1,
      'index-events.lua': 1,
    });
    expect(await costOf({ type, userId, actorId })).toEqual({
      'record-events.lua': 1,
      'index-events.lua': 2,
    });
  });

  it('costs the same number of calls for a page, however many events there are', async () => {
    const own = trailOn();
    const userId = randomUUID();
    await own.record([...many(2, { type: 'rare', userId }), ...many(40, { type: 'common' })]);
    const page = async (query: TrailQuery): Promise<Record<string, number>> =>
      scriptsOf(async () => {
        const { events } = (await own.trail.list(query, undefined, 2, Deadline.none))!;
        expect(events).toHaveLength(2);
      });
    const queries = [{ type: 'rare' }, { userId }, { userId, type: 'rare' }, {}];
    const few = [];
    for (const query of queries) {
      few.push(await page(query));
    }
    for (let round = 0; round < 2; round += 1) {
      await own.record(many(4500, { type: 'common', userId: randomUUID() }));
    }

    const lists = few.map((counts) => counts['list-entries.lua']);
    expect(lists).toEqual([16, 2, 1, 16]);
    for (const [index, query] of queries.entries()) {
      const counts = await page(query);
      expect(counts['list-entries.lua']).toBe(lists[index]);
      expect(counts['find-events.lua']).toBeLessThanOrEqual(2);
    }
  });

  it('examines a limited number of events of a user for a type, and goes on with the next page', async () => {
    const own = trailOn();
    const userId = randomUUID();
    await own.record(many(1, { type: 'rare', userId }));
    await own.record(many(4500, { type: 'common', userId }));
    const query = { userId, type: 'rare' };

    const first = await own.trail.list(query, undefined, 20, Deadline.none);
    expect(first).toEqual({ events: [], next: expect.any(String) as unknown });
    expect(await listed(own, query)).toEqual([expect.objectContaining({ type: 'rare', userId })]);
  });

  it('lists no event after the retention, and removes it when others are recorded', async () => {
    const own = trailOn();
    const userId = randomUUID();
    instance.clock.wallMs = -90 * DAY_MS - 1000;
    await own.record(many(10, { type: 'logged-in', userId }));
    expect(await listed(own, {})).toEqual([]);
    instance.clock.wallMs = -90 * DAY_MS + 60_000;
    await own.record(many(1, { type: 'logged-in', userId }));
    instance.clock.wallMs = 0;

    for (const query of [{}, { type: 'logged-in' }, { userId }, { userId, type: 'logged-in' }]) {
      expect(await listed(own, query)).toHaveLength(1);
    }
    // Until the partition with the old events gets a new one.
    for (let newer = 1; (await stored()) > newer; newer += 1) {
      await own.record(many(1, { type: 'logged-in', userId }));
    }
    const { values } = await dumpKeys(prefix);
    const times = JSON.stringify(values).match(/[0-9a-f]{8}-[0-9a-f]{4}-7/g) ?? [];
    const oldest = Math.min(
      ...times.map((time) => parseInt(time.replaceAll('-', '').slice(0, 12), 16)),
    );
    expect(oldest).toBeGreaterThan(Date.now() - 90 * DAY_MS);
  });
  /** The number of events in Redis. */
  const stored = async (): Promise<number> => {
    const { keys, values } = await dumpKeys(prefix);
    return keys.reduce(
      (sum, key, index) =>
        sum + (/:events:/.test(key) ? Object.keys(values[index] as object).length : 0),
      0,
    );
  };

  it('expires as a whole when nothing is recorded for the retention', async () => {
    const own = trailOn({ retentionMs: DAY_MS });
    await own.record(many(20, { type: 'logged-in', userId: randomUUID() }));

    const { keys } = await dumpKeys(prefix);
    const trailKeys = keys.filter((key) => /\{audit(?:-user)?\./.test(key));
    expect(trailKeys.length).toBeGreaterThan(3);
    await withRedis(async (_, cluster) => {
      for (const key of trailKeys) {
        const ms = await cluster.pttl(key);
        expect({ key, isRight: ms > DAY_MS - 60_000 && ms <= DAY_MS }).toEqual({
          key,
          isRight: true,
        });
      }
    });
  });

  it('keeps the newest events of a type that floods it, and all of the others', async () => {
    const own = trailOn({ maxEventsPerType: 1600 });
    await own.record(many(100, { type: 'user-deleted' }));
    for (let round = 0; round < 60; round += 1) {
      await own.record(many(100, { type: 'attempt-throttled' }));
    }

    const flood = await listed(own, { type: 'attempt-throttled' });
    expect(flood.length).toBeLessThanOrEqual(1600);
    expect(flood.length).toBeGreaterThan(800);
    expect(flood[0]!.details).toEqual({ number: 99 });
    expect(await listed(own, { type: 'user-deleted' })).toHaveLength(100);
    expect(await stored()).toBe(flood.length + 100);
    expect(await listed(own, {})).toHaveLength(flood.length + 100);
  });

  it('keeps the newest 10,000 events of a user, and 1,000 refusals, which displace no other event', async () => {
    const own = trailOn();
    const userId = randomUUID();
    await own.record([{ type: 'logged-in', userId }]);
    for (let round = 0; round < 4; round += 1) {
      // Without a caller, each counts alone.
      await own.record(
        Array.from({ length: 500 }, (_, number) => ({
          type: 'permission-refused',
          userId,
          reason: `${round} ${number}`,
        })),
      );
    }

    const events = await listed(own, { userId });
    const isLogin = ({ type }: TrailEvent): boolean => type === 'logged-in';
    expect(events.filter(isLogin)).toHaveLength(1);
    expect(events).toHaveLength(1001);
    const refusals = await listed(own, { userId, type: 'permission-refused' });
    expect(refusals).toEqual(events.filter((event) => !isLogin(event)));
    expect(refusals[0]!.reason).toBe('3 499');
    expect(await listed(own, { type: 'permission-refused' })).toHaveLength(2000);

    for (let round = 0; round < 3; round += 1) {
      await own.record(many(4000, { type: 'tokens-refreshed', userId }));
    }
    const key = instance.redis.keys.key(['audit-user', userId], 'entries');
    await withRedis(async (_, cluster) => expect(await cluster.zcard(key)).toBe(10_000));
    expect(await listed(own, { userId, type: 'logged-in' })).toEqual([]);
  });

  it('lists refusals of a user among the other events in order, in pages of every size', async () => {
    const own = trailOn();
    const userId = randomUUID();
    const types = ['logged-in', 'permission-refused', 'permission-refused', 'logged-out'];
    const events = [...types, ...types].map((type) => ({ type, userId }));
    await own.record(events);

    for (const limit of [1, 2, 3, 100]) {
      const found = (await listed(own, { userId }, limit)).map(({ type }) => type);
      expect(found).toEqual([...types, ...types].reverse());
    }
  });

  it('creates no key for ids of nobody', async () => {
    const own = trailOn();
    const [actorId, userId, nobody] = [randomUUID(), randomUUID(), randomUUID()];
    const read = { actor: 'user', actorId } as const;
    await own.record([
      { type: 'user-read', reason: 'not-found', userId: nobody, ...read },
      { type: 'sessions-read', reason: 'not-found', userId: nobody, ...read },
      { type: 'factors-read', reason: 'not-found', userId: nobody, ...read },
      { type: 'audit-read', userId: nobody, ...read, details: { events: 0 } },
      { type: 'audit-read', userId, ...read, details: { events: 2 } },
    ]);

    const { keys } = await dumpKeys(prefix);
    expect(keys.filter((key) => key.includes(nobody))).toEqual([]);
    expect(await listed(own, { userId })).toHaveLength(1);
    expect(await listed(own, { userId: actorId })).toHaveLength(5);
  });

  it('accepts events that have no JSON or are too large, without their details', async () => {
    const own = trailOn();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const type = 'orders.shipped';
    await own.record([
      { type, userId: 'not a uuid: {}', details: circular },
      { type, actor: 'system', details: { text: 'x'.repeat(20_000) } },
    ]);

    expect(await listed(own, { type })).toEqual([
      expect.objectContaining({ type, actor: 'system', details: { isOmitted: true } }),
      expect.objectContaining({ type, details: { isOmitted: true } }),
    ]);
  });

  it('drops and counts events that have no JSON even without their details, and throws no error', async () => {
    const own = trailOn();
    const type = 'orders.shipped';
    await own.record([
      { type, reason: 1n as never },
      { type, reason: 'x'.repeat(20_000) },
      { type, reason: 'sent' },
    ]);

    expect(own.queue.outcomes).toEqual({ recorded: 1, dropped: 2, limited: 0 });
    expect(await listed(own, { type })).toEqual([expect.objectContaining({ reason: 'sent' })]);
  });

  it('limits the bytes of an event, and of refused ones more', async () => {
    const own = trailOn();
    const details = { text: '中'.repeat(2000) };
    const event = { type: 'orders.shipped', details };
    await own.record([
      event,
      { ...event, result: 'refused' },
      { ...event, details: { text: '中'.repeat(6000) } },
    ]);

    const stored = (await listed(own, {})).map((one) => one.details);
    expect(stored).toEqual([{ isOmitted: true }, { isOmitted: true }, details]);
  });

  it('stores at most 256 KB in one call', async () => {
    const own = trailOn();
    const run = jest.spyOn(instance.redis, 'run');
    await own.record(
      Array.from({ length: 100 }, () => ({ type: 'large', details: { text: 'x'.repeat(10_000) } })),
    );

    const sizes = run.mock.calls.map(([, , args]) => args.join('').length);
    run.mockRestore();
    expect(Math.max(...sizes)).toBeLessThan(262_144 + 10_000);
    expect(await listed(own, { type: 'large' })).toHaveLength(100);
  });

  it('drops and counts what does not fit in the queue, and records the rest', async () => {
    const own = trailOn();
    const flood = many(12_000, { type: 'login-refused' });
    await own.record([...flood, { type: 'user-deleted' }, ...flood, { type: 'access-changed' }]);

    expect(own.queue.outcomes).toEqual({ recorded: 5002, dropped: 19_000, limited: 0 });
    expect(await listed(own, { type: 'user-deleted' })).toHaveLength(1);
    expect(await listed(own, { type: 'access-changed' })).toHaveLength(1);
    // The room is free again.
    await own.record(many(5000, { type: 'login-refused' }));
    expect(own.queue.outcomes).toEqual({ recorded: 10_002, dropped: 19_000, limited: 0 });
  });

  it('records a limited number of refusals of one caller, and counts the others', async () => {
    const own = trailOn();
    const refusalsOf = (actorId: string, count: number, reason: string): AuditEvent[] =>
      many(count, { type: 'permission-refused', actor: 'user', actorId, reason });
    const [flooding, other] = [randomUUID(), randomUUID()];
    await own.record([
      ...refusalsOf(flooding, 1000, 'missing-permission'),
      ...refusalsOf(flooding, 1, 'own-access'),
      ...refusalsOf(other, 5, 'missing-permission'),
    ]);

    expect(own.queue.outcomes).toEqual({ recorded: 26, dropped: 0, limited: 980 });
    const events = await listed(own, { type: 'permission-refused' });
    expect(events.filter(({ actorId }) => actorId === other)).toHaveLength(5);
    expect(events.filter(({ reason }) => reason === 'own-access')).toHaveLength(1);
  });
});
