import { Inject, Injectable } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { Announcer } from './announcer.js';
import type { CacheKey } from './cache-key.js';
import { ControlLog } from './control-log.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';
import { NearCacheMetrics } from './near-cache.metrics.js';

export interface GetOptions<Value> {
  /**
   * Maximum age of the value, in milliseconds. Default and upper limit: the cache's own `maxAgeMs`. 0 stores nothing.
   */
  readonly maxAgeMs?: (value: Value) => number;
  /**
   * Whether the value has no maximum age: it stays until it is invalidated or the lease is lost. For the few values that
   * every request needs, so that the loss of their shard does not affect all users. Default false.
   */
  readonly isLasting?: boolean;
  /** Whether concurrent callers may share this load. Default true. */
  readonly isShared?: boolean;
  /** Whether the look-up counts in the metrics. Default true. */
  readonly isCounted?: boolean;
}

/**
 * The memory of this instance, coherent with all other instances: when `change` has returned, no instance answers from the
 * state before it. docs/coherence.md explains the protocol and why it holds.
 */
@Injectable()
export class NearCache {
  private readonly maxAgeMs: number;

  constructor(
    private readonly store: LocalStore,
    private readonly membership: Membership,
    private readonly announcer: Announcer,
    private readonly log: ControlLog,
    private readonly clock: Clock,
    private readonly metrics: NearCacheMetrics,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    this.maxAgeMs = options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs;
  }

  /** Whether this instance may answer from memory. If not, every `get` loads. */
  get isTrusted(): boolean {
    return this.membership.isTrusted;
  }

  /** A key in the hash slot of the control log. While no master serves this slot, no instance can renew its lease. */
  get logKey(): string {
    return this.log.changesChannel;
  }

  /** Whether the shard of the control log rejects all writes. No instance can renew its lease then. */
  get isHeldUp(): boolean {
    return this.membership.isHeldUp;
  }

  /** Waits until this instance may answer from memory. */
  async untilTrusted(): Promise<void> {
    await this.membership.untilTrusted();
  }

  /**
   * Calls a listener when this instance invalidates a subject: after a change, and when it empties its memory because it has
   * lost its lease. This is only a hint: the subject may be unchanged.
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
    if (!this.membership.isTrusted) {
      return undefined;
    }
    const value = this.store.read(key, this.clock.monotonic());
    if (value !== undefined && isCounted) {
      this.metrics.hits += 1;
    }
    return value;
  }

  /**
   * Returns the value from memory, or loads it.
   *
   * @param load reads the value from the source of truth. The value must not be undefined. A master that a failover has
   * replaced must not be able to deliver the value. So use `readConfirmed` or `runDurably` with a script that writes at
   * least a fence key. If it throws, `get` throws too and stores nothing
   */
  async get<Value>(
    key: CacheKey<Value>,
    load: () => Promise<Value>,
    options: GetOptions<Value> = {},
  ): Promise<Value> {
    const { isShared = true, isCounted = true } = options;
    if (!this.membership.isTrusted) {
      this.metrics.untrusted += isCounted ? 1 : 0;
      this.membership.renewSoon();
      // Without a lease no change waits for this instance, so it may miss invalidations. This load must not be shared.
      return load();
    }
    const known = this.peek(key, options) ?? (isShared ? this.store.loadOf(key) : undefined);
    if (known !== undefined) {
      return known;
    }
    this.metrics.misses += isCounted ? 1 : 0;
    return this.loadAndStore(key, load, options);
  }

  /**
   * Changes a subject. When it returns, no instance answers from the old state: each one has invalidated the subject or has
   * lost its lease.
   *
   * @param write makes the change durable (`runDurably`) and must be idempotent. It receives the sequence number of the
   * change. Sequence numbers only increase. If a write arrives after a write with a higher number, it must not overwrite
   * that one
   * @throws NotConfirmedError when some instances may not have invalidated the subject. The change may or may not have
   * happened, and repeating it is safe. Also throws what `write` throws
   */
  async change<Result>(
    subject: string,
    write: (sequence: string) => Promise<Result>,
    deadline: Deadline,
  ): Promise<Result> {
    const { sequence, result } = await this.metrics.countUnconfirmed(async () => {
      const number = await this.log.begin(subject, deadline);
      return { sequence: number, result: await write(number) };
    });
    await this.announce(subject, deadline);
    // Best effort: if this fails, the next `settle` announces the change once more.
    this.log.finish(subject, [sequence]).catch(() => undefined);
    return result;
  }

  /**
   * Announces the unfinished changes of a subject: another caller began them and may have crashed before the announcement.
   * Call it before you report a final state that you have just loaded, such as "this session has ended". Afterwards every
   * instance agrees with this answer.
   *
   * @throws NotConfirmedError
   */
  async settle(subject: string, deadline: Deadline): Promise<void> {
    const { count, abandoned } = await this.log.unfinished(subject, deadline);
    if (count > 0) {
      await this.announce(subject, deadline);
      // The writes of the changes that are not in `abandoned` may still arrive. These changes therefore stay recorded.
      this.log.finish(subject, abandoned).catch(() => undefined);
    }
  }

  private async announce(subject: string, deadline: Deadline): Promise<void> {
    this.store.drop(subject);
    await this.metrics.observe(() => this.announcer.announce(subject, deadline));
  }

  private async loadAndStore<Value>(
    key: CacheKey<Value>,
    load: () => Promise<Value>,
    options: GetOptions<Value>,
  ): Promise<Value> {
    // Register the load before the request is sent. A change that arrives in the meantime then detaches the load.
    const ticket = this.store.beginLoad(key, options.isShared ?? true);
    const loadOnce = async (): Promise<Value> => {
      try {
        const value = await load();
        const longestMs = options.isLasting ? Infinity : this.maxAgeMs;
        const maxAgeMs = Math.min(longestMs, options.maxAgeMs?.(value) ?? longestMs);
        if (maxAgeMs > 0 && this.membership.isTrusted) {
          this.store.finishLoad(key, ticket, value, this.clock.monotonic() + maxAgeMs);
        }
        return value;
      } finally {
        this.store.endLoad(key, ticket);
      }
    };
    ticket.promise = loadOnce();
    return ticket.promise;
  }
}
