import { Logger } from '@nestjs/common';

import { FakeClock, settled } from '../../test/support/fake-clock.js';
import {
  FakeInboxes,
  startFakeInstance,
  type FakeInstance,
} from '../../test/support/fake-inboxes.js';
import { Gate } from '../../test/support/gate.js';
import { luaScript } from '../../test/support/lua-script.js';
import { Deadline } from '../common/deadline/index.js';
import { MetricsRegistry } from '../metrics/registry/index.js';
import { NotConfirmedError, type RedisCluster } from '../redis-cluster/index.js';
import { CacheKey } from './cache-key.js';
import { ChangeFeed } from './change-feed.js';
import type { Directory, Holder, PendingHolders, Registered } from './directory.js';
import { NearCache, type GetOptions } from './near-cache.js';
import { NearCacheMetrics } from './near-cache.metrics.js';
import { LASTING_MAX_AGE_MS, LASTING_REFRESH_AGE_MS } from './near-cache.options.js';

const LEASE_MS = 1000;
const MAX_AGE_MS = 10_000;
const KEY = new CacheKey<string>('user.1');
const CALL = { script: luaScript('-- KEYS[1] a value'), keys: ['value'], args: [] };

type PublicDirectory = Pick<Directory, keyof Directory>;

/** One subject with its holders. A read returns its value, and registers the holder unless the value must not be held. */
class FakeSubject implements PublicDirectory {
  value = 'old';
  mayBeHeld = true;
  hasOneCopy = false;
  error: Error | undefined;
  /** Delays the reply to the next read, but not the read itself. */
  heldRead: Gate | undefined;
  reads = 0;
  holders: Holder[] = [];
  unfinishedChanges = 0;
  finished: string[] = [];

  key(): string {
    return 'master-1';
  }

  async read(): Promise<string> {
    this.reads += 1;
    const { value, error } = this;
    await this.heldRead?.pass(undefined);
    if (error) {
      throw error;
    }
    return value;
  }

  async hold<Value>(_: string, holder: Holder): Promise<Registered<Value>> {
    const isRegistered = this.mayBeHeld;
    this.holders.push(...(isRegistered ? [holder] : []));
    const { hasOneCopy } = this;
    return { isRegistered, hasOneCopy, value: (await this.read()) as Value };
  }

  async register(_: string, holder: Holder): Promise<boolean> {
    this.holders.push(holder);
    return Promise.resolve(this.hasOneCopy);
  }

  async change<Reply>(): Promise<PendingHolders & { readonly reply: Reply }> {
    return { ...(await this.take()), reply: 'changed' as Reply };
  }

  async begin(): Promise<string> {
    this.unfinishedChanges += 1;
    return Promise.resolve('1');
  }

  async take(): Promise<PendingHolders> {
    await Promise.resolve();
    if (this.error) {
      throw this.error;
    }
    return { holders: this.holders.splice(0), changes: ['a change'] };
  }

  async unfinished(): Promise<PendingHolders & { readonly count: number }> {
    const { unfinishedChanges: count, holders } = this;
    return Promise.resolve({ count, holders, changes: [] });
  }

  async holdersOf(): Promise<readonly Holder[]> {
    return Promise.resolve(this.holders);
  }

  finish(_: string, { holders }: PendingHolders): void {
    this.finished.push(...holders.map(({ instance }) => instance));
  }
}

describe('the near cache of one instance', () => {
  let clock: FakeClock;
  let instance: FakeInstance;
  let subject: FakeSubject;
  let cache: NearCache;
  beforeAll(() => void Logger.overrideLogger(false));
  beforeEach(async () => start(LEASE_MS));
  afterEach(async () => instance.membership.beforeApplicationShutdown());

  const start = async (leaseMs: number): Promise<void> => {
    clock = new FakeClock();
    instance = startFakeInstance(new FakeInboxes(), clock, leaseMs);
    subject = new FakeSubject();
    const { store, membership, announcer } = instance;
    const directory: PublicDirectory = subject;
    const redis: Partial<RedisCluster> = {
      readConfirmed: async <Reply>() => (await subject.read()) as Reply,
    };
    cache = new NearCache(
      store,
      membership,
      announcer,
      directory as Directory,
      redis as RedisCluster,
      clock,
      new NearCacheMetrics(new MetricsRegistry(), store, membership),
      new ChangeFeed(redis as RedisCluster, clock),
      { maxAgeMs: MAX_AGE_MS },
    );
    await settled();
  };
  /** The two ways to load the value. */
  const ways: [string, (options?: GetOptions<string>) => Promise<string>][] = [
    [
      'in its slot',
      async (options) =>
        cache.getFromSlot(KEY, async (read) => String(await read(CALL, Deadline.none)), options),
    ],
    ['elsewhere', async (options) => cache.get(KEY, async () => subject.read(), options)],
  ];
  const [[, getFromSlot]] = ways as [(typeof ways)[0]];
  const drops = (): string[] => {
    const dropped: string[] = [];
    cache.onDrop(KEY.subject, () => dropped.push(KEY.subject));
    return dropped;
  };

  describe.each(ways)('with data %s', (_, get) => {
    it('registers before it reads, and answers from memory until the maximum age', async () => {
      expect([await get(), await get()]).toEqual(['old', 'old']);
      expect(subject.reads).toBe(1);
      expect(subject.holders).toEqual([{ instance: instance.id, leaseMs: LEASE_MS }]);

      subject.value = 'new';
      await clock.advance(MAX_AGE_MS - 1);
      expect(await get()).toBe('old');
      await clock.advance(1);
      expect(await get()).toBe('new');
    });

    it('stores nothing when the subject changed during the load', async () => {
      subject.heldRead = new Gate();
      const loading = get();
      await subject.heldRead.reached;

      instance.store.drop(KEY.subject);
      subject.heldRead.open();

      expect(await loading).toBe('old');
      expect(cache.peek(KEY)).toBeUndefined();
    });

    it('stores nothing when the lease expired during the load and a renewal is under way', async () => {
      subject.heldRead = new Gate();
      instance.link.heldRenewal = new Gate();
      const loading = get();
      await subject.heldRead.reached;
      await clock.advance(2 * LEASE_MS);
      expect(cache.isTrusted).toBe(false);

      subject.heldRead.open();
      expect(await loading).toBe('old');

      expect(instance.store.entryCount).toBe(0);
      instance.link.heldRenewal.open();
    });

    it('stores nothing when the lease expired during the load and was renewed before its end', async () => {
      subject.heldRead = new Gate();
      const loading = get();
      await subject.heldRead.reached;
      instance.link.isCut = true;
      await clock.advance(LEASE_MS);
      instance.link.isCut = false;
      await clock.advance(LEASE_MS);
      expect(cache.isTrusted).toBe(true);

      subject.heldRead.open();
      expect(await loading).toBe('old');

      expect(cache.peek(KEY)).toBeUndefined();
    });

    it('neither registers nor stores without a lease', async () => {
      await instance.membership.beforeApplicationShutdown();

      expect([await get(), await get()]).toEqual(['old', 'old']);

      expect(subject.reads).toBe(2);
      expect([subject.holders, instance.store.entryCount]).toEqual([[], 0]);
    });

    it('answers from memory for 400 ms from the begin of the load when the registration has one copy', async () => {
      subject.hasOneCopy = true;
      subject.heldRead = new Gate();
      const first = get();
      await subject.heldRead.reached;
      await clock.advance(150);
      subject.heldRead.open();
      await first;

      subject.value = 'new';
      await clock.advance(249);
      expect(await get()).toBe('old');
      await clock.advance(1);
      expect(await get()).toBe('new');
    });

    it('stores nothing when the load fails', async () => {
      subject.error = new NotConfirmedError('nobody knows');
      await expect(get()).rejects.toThrow(NotConfirmedError);

      subject.error = undefined;
      expect(await get()).toBe('old');
      expect(subject.reads).toBe(2);
    });

    it('stores nothing with a maximum age of 0', async () => {
      await get({ maxAgeMs: () => 0 });

      expect(instance.store.entryCount).toBe(0);
    });
  });

  it('stores nothing when the script decided that the value must not be held', async () => {
    subject.mayBeHeld = false;

    expect(await getFromSlot()).toBe('old');

    expect([subject.holders, instance.store.entryCount]).toEqual([[], 0]);
  });

  it('renews the lease at once when a request finds that it has expired', async () => {
    instance.link.isCut = true;
    await clock.advance(2 * LEASE_MS);
    instance.link.isCut = false;

    await getFromSlot();
    await settled();

    expect(cache.isTrusted).toBe(true);
  });

  describe('with a lasting value', () => {
    // A long lease, so that the tests run few renewals in twelve hours.
    beforeEach(async () => {
      await instance.membership.beforeApplicationShutdown();
      await start(LASTING_MAX_AGE_MS);
    });
    const get = async (): Promise<string> => getFromSlot({ isLasting: true });
    const reachRefreshAge = async (): Promise<void> => {
      await get();
      await clock.advance(LASTING_REFRESH_AGE_MS);
      subject.value = 'new';
    };

    it('loads it again in the background, once, and answers from memory meanwhile', async () => {
      await get();
      subject.value = 'new';
      await clock.advance(LASTING_REFRESH_AGE_MS - 1);
      await get();
      expect(subject.reads).toBe(1);
      await clock.advance(1);
      subject.heldRead = new Gate();

      expect(await get()).toBe('old');
      await subject.heldRead.reached;
      expect(await get()).toBe('old');
      expect(subject.reads).toBe(2);
      // The second read registers the holder again, because the earlier registration may expire.
      expect(subject.holders).toHaveLength(2);
      subject.heldRead.open();
      await settled();

      expect(await get()).toBe('new');
      expect(subject.reads).toBe(2);
    });

    it('keeps it while loads in the background fail, and tries again at the next look-up', async () => {
      await reachRefreshAge();
      subject.error = new NotConfirmedError('nobody knows');
      expect(await get()).toBe('old');
      await settled();

      subject.error = undefined;
      expect(await get()).toBe('old');
      await settled();

      expect(await get()).toBe('new');
    });

    it('keeps it as long as before when its registration in the background has one copy', async () => {
      await reachRefreshAge();
      subject.hasOneCopy = true;
      await get();
      await settled();
      subject.value = 'newest';

      await clock.advance(LASTING_MAX_AGE_MS - LASTING_REFRESH_AGE_MS - 1);
      expect(cache.peek(KEY)).toBe('new');
      await clock.advance(1);
      expect(cache.peek(KEY)).toBeUndefined();
    });

    it('does not keep it past its maximum age', async () => {
      await get();
      subject.value = 'new';
      await clock.advance(LASTING_MAX_AGE_MS - 1);
      expect(cache.peek(KEY)).toBe('old');

      await clock.advance(1);

      expect(cache.peek(KEY)).toBeUndefined();
      expect(await get()).toBe('new');
    });

    it('stores no load in the background that began before a change', async () => {
      await reachRefreshAge();
      subject.heldRead = new Gate();
      await get();
      await subject.heldRead.reached;
      subject.value = 'newest';

      instance.store.drop(KEY.subject);
      expect(await get()).toBe('newest');
      subject.heldRead.open();
      await settled();

      expect(cache.peek(KEY)).toBe('newest');
    });
  });

  describe('at its own change', () => {
    const changes: [string, () => Promise<unknown>][] = [
      ['in the slot', async () => cache.changeInSlot(KEY.subject, CALL, Deadline.none)],
      [
        'elsewhere',
        async () => cache.change(KEY.subject, async () => Promise.resolve(), Deadline.none),
      ],
    ];

    it.each(changes)(
      'drops the subject %s and its loads, and finishes the change',
      async (_, change) => {
        await getFromSlot();
        subject.heldRead = new Gate();
        const other = new CacheKey<string>(KEY.subject, 'another part');
        const loading = cache.get(other, async () => subject.read());
        await subject.heldRead.reached;
        expect(cache.peek(KEY)).toBe('old');

        await change();

        expect(cache.peek(KEY)).toBeUndefined();
        expect(new Set(subject.finished)).toEqual(new Set([instance.id]));
        subject.heldRead.open();
        await loading;
        expect(cache.peek(other)).toBeUndefined();
      },
    );

    it.each(changes)(
      'drops the subject %s when nobody knows whether the change happened',
      async (_, change) => {
        await getFromSlot();
        subject.error = new NotConfirmedError('nobody knows');
        const dropped = drops();

        await expect(change()).rejects.toThrow(NotConfirmedError);

        expect([cache.peek(KEY), dropped]).toEqual([undefined, [KEY.subject]]);
        expect(subject.finished).toEqual([]);
      },
    );
  });

  describe('when it settles a subject', () => {
    it('drops the subject and detaches its loads if a change is unfinished', async () => {
      subject.unfinishedChanges = 1;
      subject.heldRead = new Gate();
      const loading = getFromSlot();
      await subject.heldRead.reached;

      await cache.settle(KEY.subject, Deadline.none);
      subject.heldRead.open();

      expect(await loading).toBe('old');
      expect(cache.peek(KEY)).toBeUndefined();
    });

    it('keeps the subject if no change is unfinished', async () => {
      await getFromSlot();

      await cache.settle(KEY.subject, Deadline.none);

      expect(cache.peek(KEY)).toBe('old');
    });
  });
});
