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
   * How long the value may be remembered, in milliseconds; at most the cache's own `maxAgeMs`, which is the default. 0
   * stores nothing.
   */
  readonly maxAgeMs?: (value: Value) => number;
  /**
   * Whether it is remembered for as long as memory is trusted and no change of it is told: for the little that every
   * request needs, so that the loss of one shard does not become everybody's. Default false.
   */
  readonly isLasting?: boolean;
  /** Whether callers who come while it is loaded may be given what this one loads. Default true. */
  readonly isShared?: boolean;
  /** Whether the look-up counts in the metrics. Default true. */
  readonly isCounted?: boolean;
}

/**
 * What this instance remembers of the cluster, coherent with all other instances: when `change` has returned, none of
 * them answers from before. How, and why it holds: docs/coherence.md.
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

  /** Whether this instance may answer from memory. Where not, every `get` loads. */
  get isTrusted(): boolean {
    return this.membership.isTrusted;
  }

  /** A key of the log of changes: while nobody serves it, no instance trusts its memory. */
  get logKey(): string {
    return this.log.changesChannel;
  }

  /** Whether the shard of the log takes no writes from anybody: no instance trusts its memory then, either. */
  get isHeldUp(): boolean {
    return this.membership.isHeldUp;
  }

  /** Until this instance may answer from memory. */
  async untilTrusted(): Promise<void> {
    await this.membership.untilTrusted();
  }

  /**
   * Calls a listener when this instance forgets what it knew of a subject: after a change, and when all memory is dropped
   * because it is not trusted any more. That is a hint only: the subject may be as before.
   *
   * @returns what removes the listener
   */
  onDrop(subject: string, listener: () => void): () => void {
    return this.store.onDrop(subject, listener);
  }

  /** @returns the value if it is in memory and may be trusted; nothing is asked */
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
   * The value from memory, or loaded.
   *
   * @param load asks the source of truth for a value, which is not undefined. It must not be answered by a master that
   * was replaced: run a script that writes (a fence, if nothing else) with `runDurably`. What it throws is thrown on,
   * and nothing is stored
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
      // Nobody may share this load: a change that came after it began could not be told here.
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
   * Changes a subject. When it returns, no instance answers from before: each has forgotten what it knew of the subject,
   * or has stopped to trust its memory.
   *
   * @param write makes the change durable (`runDurably`) and may be repeated. It is given the change's number, which only
   * grows: a write that comes after one with a higher number is late
   * @throws NotConfirmedError when not everybody may know: the change may or may not have happened, and repeating it is
   * safe. Whatever `write` throws
   */
  async change<Result>(
    subject: string,
    write: (sequence: string) => Promise<Result>,
    deadline: Deadline,
  ): Promise<Result> {
    const { sequence, result } = await this.metrics.counted(async () => {
      const number = await this.log.begin(subject, deadline);
      return { sequence: number, result: await write(number) };
    });
    await this.announce(subject, deadline);
    // If this fails, whoever looks next announces the change once more.
    this.log.finish(subject, [sequence]).catch(() => undefined);
    return result;
  }

  /**
   * Tells everybody of changes that other callers began and perhaps could not finish. Call it before acting on a final
   * state that was just loaded ("this session has ended"), so that the answer is true for every instance.
   *
   * @throws NotConfirmedError
   */
  async settle(subject: string, deadline: Deadline): Promise<void> {
    const { count, abandoned } = await this.log.unfinished(subject, deadline);
    if (count > 0) {
      await this.announce(subject, deadline);
      // The others may still be written: they are for those who began them, or for the next who looks.
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
    // Registered before it is sent: a change from here on detaches it.
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
