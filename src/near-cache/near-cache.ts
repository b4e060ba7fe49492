import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { Announcer } from './announcer.js';
import type { CacheKey } from './cache-key.js';
import { ChangeFeed } from './change-feed.js';
import {
  Directory,
  type Holder,
  type PendingHolders,
  type Registered,
  type SlotCall,
  type SlotWrite,
} from './directory.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import {
  LASTING_MAX_AGE_MS,
  LASTING_REFRESH_AGE_MS,
  NEAR_CACHE_DEFAULTS,
  type NearCacheOptions,
} from './near-cache.options.js';
import { NearCacheMetrics } from './near-cache.metrics.js';

export interface GetOptions<Value> {
  /**
   * Maximum age of the value, in milliseconds. Default and upper limit: `maxAgeMs` of the module, or twelve hours for a
   * lasting value. 0 stores nothing.
   */
  readonly maxAgeMs?: (value: Value) => number;
  /**
   * Whether the value may stay for twelve hours instead of `maxAgeMs`. It is loaded again every hour. Use it only for the
   * few values that every request needs, so that the loss of their shard does not affect all users. Default false.
   */
  readonly isLasting?: boolean;
  /** Whether concurrent callers may share this load. Default true. */
  readonly isShared?: boolean;
  /** Whether the look-up counts in the metrics. Default true. */
  readonly isCounted?: boolean;
}

/** Runs a script that reads a subject. @throws RedisUnavailableError */
export type SlotRead = <Reply>(call: SlotCall<Reply>, deadline: Deadline) => Promise<Reply>;

/**
 * A replica starts an election at least half a second after the masters have agreed that its master has failed. When a
 * registration with one copy is confirmed, a majority of the masters says that this is not so.
 */
const SINGLE_COPY_MAX_AGE_MS = 400;

/** Two ways to load a value: `plain` for an instance without a lease, `held` with a registration as a holder. */
interface Load<Value> {
  readonly plain: () => Promise<Value>;
  readonly held: (holder: Holder) => Promise<Registered<Value>>;
}

/**
 * The memory of this instance, coherent with all other instances: when `change` has returned, no instance answers from the
 * old state. docs/coherence.md explains the protocol and why it holds.
 */
@Injectable()
export class NearCache {
  private readonly maxAgeMs: number;

  constructor(
    private readonly store: LocalStore,
    private readonly membership: Membership,
    private readonly announcer: Announcer,
    private readonly directory: Directory,
    private readonly redis: RedisCluster,
    private readonly clock: Clock,
    private readonly metrics: NearCacheMetrics,
    private readonly feed: ChangeFeed,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    this.maxAgeMs = options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs;
  }

  /** The id of this instance as a holder. It changes when the instance begins anew. */
  get holderId(): string {
    return this.membership.holder.instance;
  }

  /** Whether this instance may answer from memory. If not, every `get` loads. */
  get isTrusted(): boolean {
    return this.membership.isTrusted;
  }

  /** A key in the slot of this instance's inbox. While no master serves it, the instance cannot renew its lease there. */
  get leaseKey(): string {
    return this.membership.leaseKey;
  }

  /** Whether the shard of this instance's inbox rejects all writes, so that the lease cannot be renewed there. */
  get isHeldUp(): boolean {
    return this.membership.isHeldUp;
  }

  /**
   * Keeps the inbox of this instance away from the shard of a subject whose values every request needs (`isLasting`): with the
   * shard of its inbox, an instance loses its memory. Call it in a constructor, before the application has started.
   */
  keepApartFrom(subject: string): void {
    this.membership.keepApartFrom(this.directory.key(subject));
  }

  /** Waits until this instance may answer from memory. */
  async untilTrusted(): Promise<void> {
    await this.membership.untilTrusted();
  }

  /**
   * Calls a listener when this instance invalidates a subject: after a change, and when it empties its memory. This is only
   * a hint: the subject may be unchanged. An instance is told only of changes of subjects that it holds: see `readAsHolder`.
   *
   * @returns a function that removes the listener
   */
  onDrop(subject: string, listener: () => void): () => void {
    return this.store.onDrop(subject, listener);
  }

  /** @returns the value if it is in memory and this instance has a lease. `peek` never reads from Redis */
  peek<Value>(
    key: CacheKey<Value>,
    { isCounted = true }: Pick<GetOptions<Value>, 'isCounted'> = {},
  ): Value | undefined {
    const now = this.clock.monotonic();
    if (!this.membership.isTrustedAt(now)) {
      return undefined;
    }
    const value = this.store.read(key, now);
    if (value !== undefined && isCounted) {
      this.metrics.hits += 1;
    }
    return value;
  }

  /**
   * Returns the value from memory, or loads it. A load takes one more round trip than `getFromSlot`.
   *
   * @param load reads the value from the source of truth. The value must not be undefined. A master that was replaced in a
   * failover must not be able to deliver the value, so use `readConfirmed` or `runDurably` with a script that writes at
   * least a fence key. If `load` throws, `get` throws too and stores nothing
   * @throws RedisUnavailableError when this instance could not be registered as a holder
   */
  async get<Value>(
    key: CacheKey<Value>,
    load: () => Promise<Value>,
    options: GetOptions<Value> = {},
  ): Promise<Value> {
    return this.getBy(
      key,
      {
        plain: load,
        held: async (holder) => {
          const hasOneCopy = await this.directory.register(
            key.subject,
            holder,
            options.isLasting === true,
            Deadline.none,
          );
          return { isRegistered: true, hasOneCopy, value: await load() };
        },
      },
      options,
    );
  }

  /**
   * Returns the value from memory, or reads it with a script in the slot of the subject, in one round trip. The subject must
   * have the form `<kind>.<id>`, and the keys of the script the tag `[kind, id]`. Several subjects can share a slot:
   * `<kind>.<id>.<part>`.
   *
   * @param load reads the value by one call of `read`. The script writes at least a fence key, so that a replaced master
   * cannot answer. It returns `false` as a second value if the reply must not be held in memory. If `load` throws,
   * `getFromSlot` throws too and stores nothing
   */
  async getFromSlot<Value>(
    key: CacheKey<Value>,
    load: (read: SlotRead) => Promise<Value>,
    options: GetOptions<Value> = {},
  ): Promise<Value> {
    return this.getBy(
      key,
      {
        plain: async () => load(this.readFromSlot),
        held: async (holder) => {
          let registration = { isRegistered: false, hasOneCopy: false };
          const value = await load(async (call, deadline) => {
            const isLasting = options.isLasting === true;
            const reply = await this.directory.hold(key.subject, holder, call, isLasting, deadline);
            registration = reply;
            return reply.value;
          });
          return { ...registration, value };
        },
      },
      options,
    );
  }

  /**
   * Reads with a script in the slot of a subject, without the memory of this instance, and registers this instance as a
   * holder. The next change of the subject then calls the listeners of `onDrop`. Read again after each call of a listener,
   * and at least once an hour.
   *
   * @throws RedisUnavailableError
   */
  async readAsHolder<Reply>(
    subject: string,
    call: SlotCall<Reply>,
    deadline: Deadline,
  ): Promise<Reply> {
    const { holder } = this.membership;
    return (await this.directory.hold(subject, holder, call, false, deadline)).value;
  }

  /**
   * Finds the instances that may hold a subject, for operators. A registration lives longer than the value in memory.
   *
   * @returns the ids of their inboxes
   * @throws RedisUnavailableError
   */
  async holdersOf(subject: string, deadline: Deadline): Promise<readonly string[]> {
    return (await this.directory.holdersOf(subject, deadline)).map(({ instance }) => instance);
  }

  /** Reads with a script, without the memory of this instance and without a registration. */
  readonly readFromSlot: SlotRead = async ({ script, keys, args }, deadline) =>
    this.redis.readConfirmed(script, keys, args, deadline);

  /**
   * Changes a subject whose data are elsewhere. When it returns, no instance answers from the old state: each instance has
   * invalidated the subject, or has lost its lease. It takes two round trips to Redis besides those of `write`, and one more
   * if other instances hold the subject.
   *
   * @param write makes the change durable (`runDurably`) and must be idempotent. It receives the number of the change. The
   * numbers of one subject only grow. If a write arrives after a write with a higher number, it must not overwrite that one
   * @throws NotConfirmedError when some instances may not have invalidated the subject. The change may or may not have
   * happened, and repeating it is safe. Also throws what `write` throws
   */
  async change<Result>(
    subject: string,
    write: (number: string) => Promise<Result>,
    deadline: Deadline,
  ): Promise<Result> {
    const id = randomUUID();
    const { result, pending } = await this.write(subject, async () => {
      const number = await this.directory.begin(subject, id, deadline);
      const written = await write(number);
      return { result: written, pending: await this.directory.take(subject, id, deadline) };
    });
    await this.announce(subject, pending, deadline);
    return result;
  }

  /**
   * Changes a subject with a script in its slot. It does the same as `change`, and takes one round trip, or two if other
   * instances hold the subject. The subject must have the form `<kind>.<id>` or `<kind>.<id>.<part>`, and the keys of the
   * script the tag `[kind, id]`.
   *
   * @param write its script is idempotent, and writes in each run. The argument CHANGE_NUMBER stands for the number of the change
   * @throws NotConfirmedError as `change`
   */
  async changeInSlot<Reply>(
    subject: string,
    write: SlotWrite<Reply>,
    deadline: Deadline,
  ): Promise<Reply> {
    const pending = await this.write(subject, async () =>
      this.directory.change(subject, randomUUID(), write, deadline),
    );
    await this.announce(subject, pending, deadline);
    return pending.reply;
  }

  /**
   * Announces the unfinished changes of a subject. Another caller began them, and may have crashed before the announcement.
   * Call it before you report a final state that you have just loaded, such as "this session has ended". When it returns, no
   * instance answers from an older state.
   *
   * @throws NotConfirmedError
   */
  async settle(subject: string, deadline: Deadline): Promise<void> {
    const pending = await this.directory.unfinished(subject, deadline);
    if (pending.count > 0) {
      await this.announce(subject, pending, deadline);
    }
  }

  private async write<Result>(subject: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.metrics.countUnconfirmed(work);
    } catch (error) {
      // The change may have happened. The next look-up asks Redis.
      this.store.drop(subject);
      throw error;
    }
  }

  private async announce(
    subject: string,
    pending: PendingHolders,
    deadline: Deadline,
  ): Promise<void> {
    this.store.drop(subject);
    const change = this.feed.begin(subject, this.holderId, pending.holders);
    await this.metrics.observe(
      async () => this.announcer.announce(subject, pending.holders, deadline, change.settled),
      change.end,
    );
    this.directory.finish(subject, pending);
  }

  private async getBy<Value>(
    key: CacheKey<Value>,
    load: Load<Value>,
    options: GetOptions<Value>,
  ): Promise<Value> {
    const { isShared = true, isCounted = true } = options;
    if (!this.membership.isTrusted) {
      this.metrics.untrusted += isCounted ? 1 : 0;
      this.membership.renewSoon();
      // Without a lease this instance may miss invalidations. This load must not be stored or shared.
      return load.plain();
    }
    const known = this.peek(key, options);
    const pending = isShared ? this.store.loadOf(key) : undefined;
    if (known !== undefined) {
      if (!pending && this.store.isRefreshDue(key, this.clock.monotonic())) {
        this.loadAndStore(key, load, options).catch(() => undefined);
      }
      return known;
    }
    if (pending) {
      return pending;
    }
    this.metrics.misses += isCounted ? 1 : 0;
    return this.loadAndStore(key, load, options);
  }

  private async loadAndStore<Value>(
    key: CacheKey<Value>,
    load: Load<Value>,
    options: GetOptions<Value>,
  ): Promise<Value> {
    // The store must know the load before the request is sent, so that a change in the meantime detaches it.
    const ticket = this.store.beginLoad(key, options.isShared ?? true);
    const loadOnce = async (): Promise<Value> => {
      try {
        const begunAt = this.clock.monotonic();
        const { isRegistered, hasOneCopy, value } = await load.held(this.membership.holder);
        const longestMs = options.isLasting ? LASTING_MAX_AGE_MS : this.maxAgeMs;
        const maxAgeMs = Math.min(longestMs, options.maxAgeMs?.(value) ?? longestMs);
        if (isRegistered && maxAgeMs > 0 && this.membership.isTrusted) {
          const now = this.clock.monotonic();
          const refreshAt = options.isLasting ? now + LASTING_REFRESH_AGE_MS : undefined;
          const expiresAt = Math.min(
            now + maxAgeMs,
            hasOneCopy ? this.singleCopyExpiry(key, begunAt) : Infinity,
          );
          this.store.finishLoad(key, ticket, value, expiresAt, refreshAt);
        }
        return value;
      } finally {
        this.store.endLoad(key, ticket);
      }
    };
    ticket.promise = loadOnce();
    return ticket.promise;
  }

  /**
   * When a value expires whose registration a second loss in its shard can lose: before a replica without the registration can
   * lead. If an earlier value is in memory, its registration protects the subject as well.
   *
   * @param begunAt before the registration was sent
   */
  private singleCopyExpiry(key: CacheKey<unknown>, begunAt: number): number {
    return Math.max(begunAt + SINGLE_COPY_MAX_AGE_MS, this.store.expiryOf(key) ?? 0);
  }
}
