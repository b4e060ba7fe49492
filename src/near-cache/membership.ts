import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { isReadOnlyShard, RedisCluster } from '../redis-cluster/index.js';
import { ControlLog, type MemberNote, type Members } from './control-log.js';
import { Lease } from './lease.js';
import { LocalStore } from './local-store.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import {
  NEAR_CACHE_DEFAULTS,
  RENEWALS_PER_LEASE,
  type NearCacheOptions,
} from './near-cache.options.js';
import { SilentMembers } from './silent-members.js';

const RETRY_INTERVAL_MS = 100;
const POLL_INTERVAL_MS = 10;

/**
 * Keeps this instance a member of the control log, and holds its lease. Correctness depends on the lease alone: a renewal
 * returns the changes since the last one, and they are applied before the lease is extended. Without the channel the cache
 * is still correct. The channel only makes changes take effect sooner.
 */
@Injectable()
export class Membership implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Unique for each process. */
  readonly instance = randomUUID();
  /** Called when another instance acknowledges a change of this one. */
  onAcknowledged: (message: string) => void = () => undefined;

  private readonly logger = new Logger('NearCache');
  private readonly lease: Lease;
  private readonly silentMembers = new SilentMembers();
  private position: string | undefined;
  private note: MemberNote | undefined;
  private renewals = 0;
  private confirmed = { joined: 0, renewed: 0 };
  /** Counts revocations of the lease. A renewal that began before a revocation must not extend the lease. */
  private revocations = 0;
  private isListening = false;
  private isStopped = false;
  private isRenewalDue = false;
  private isLogReadOnly = false;
  private wake = new AbortController();

  constructor(
    private readonly redis: RedisCluster,
    private readonly log: ControlLog,
    private readonly store: LocalStore,
    private readonly clock: Clock,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    this.lease = new Lease(options.leaseMs ?? NEAR_CACHE_DEFAULTS.leaseMs, clock);
  }

  /** Whether this instance may answer from memory, now. */
  get isTrusted(): boolean {
    return this.lease.isHeld;
  }

  /** Whether the last renewals failed because the shard of the log rejects all writes. */
  get isHeldUp(): boolean {
    return this.isLogReadOnly;
  }

  get leaseRemainingMs(): number {
    return this.lease.remainingMs;
  }

  /** How many leases this instance has begun and renewed. */
  get leaseEvents(): Readonly<Record<'joined' | 'renewed', number>> {
    return this.confirmed;
  }

  async untilTrusted(): Promise<void> {
    while (!this.isTrusted && !this.isStopped) {
      await this.clock.delay(POLL_INTERVAL_MS);
    }
  }

  /** Starts the next renewal at once. */
  renewSoon(): void {
    this.isRenewalDue = true;
    this.wake.abort();
  }

  onApplicationBootstrap(): void {
    const applied = this.log.ackChannel(this.instance);
    this.redis.subscribe([this.log.changesChannel, applied], {
      onUp: () => {
        this.isListening = true;
        this.renewSoon();
      },
      onDown: () => {
        this.isListening = false;
        void this.revokeLease('the channel for changes was lost');
      },
      onMessage: (channel, message) =>
        channel === applied ? this.onAcknowledged(message) : this.apply(message),
    });
    void this.keepRenewing();
  }

  /** Gives up the lease and leaves the member list. Requests that are still in progress then read from Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.renewSoon();
    await this.revokeLease();
  }

  private async keepRenewing(): Promise<void> {
    let wasTrusted = false;
    while (!this.isStopped) {
      this.isRenewalDue = false;
      const hasFailed = this.isListening && !(await this.tryToRenew(wasTrusted));
      wasTrusted = this.isTrusted;
      // A renewal that was requested in the meantime starts at once.
      if (!this.isRenewalDue || !this.isListening || hasFailed) {
        await this.pause(hasFailed ? RETRY_INTERVAL_MS : this.lease.lengthMs / RENEWALS_PER_LEASE);
      }
    }
  }

  private async tryToRenew(wasTrusted: boolean): Promise<boolean> {
    try {
      await this.renew();
      this.isLogReadOnly = false;
      return true;
    } catch (error) {
      this.isLogReadOnly ||= isReadOnlyShard(error);
      if (wasTrusted && !this.isTrusted) {
        this.logger.warn(`Memory is not trusted any more: ${(error as Error).message}`);
      }
      return false;
    }
  }

  private async pause(ms: number): Promise<void> {
    this.wake = new AbortController();
    await this.clock.delay(ms, { signal: this.wake.signal, ref: false }).catch(() => undefined);
  }

  private async renew(): Promise<void> {
    const { revocations } = this;
    const isTrusted = this.isTrusted;
    if (!isTrusted) {
      // The lease has expired by the clock. Revoke it explicitly: if the clock is set back now, the old lease would become
      // valid again, although this renewal joins with empty memory.
      this.lease.revoke();
    }
    // Taken before the request is sent: the lease starts here, however long the reply takes.
    const begun = this.lease.moment();
    this.renewals += 1;
    const renewal = await this.log.renew({
      instance: this.instance,
      leaseMs: this.lease.lengthMs,
      number: this.renewals,
      // Without a lease this instance joins with empty memory: the log may no longer hold all changes that it missed.
      position: isTrusted ? this.position : undefined,
    });
    this.note = renewal.members.get(this.instance);
    this.removeSilent(renewal.members);
    if (revocations !== this.revocations) {
      await this.leave();
      return;
    }
    if (renewal.hasJoined) {
      this.store.dropAll();
    } else {
      renewal.changes.forEach((subject) => this.store.drop(subject));
    }
    // The lease may be extended only after all changes are applied.
    this.position = renewal.position;
    this.lease.extend(begun);
    if (renewal.hasJoined && this.confirmed.joined > 0) {
      this.logger.log('Memory is trusted again, and empty.');
    }
    this.confirmed[renewal.hasJoined ? 'joined' : 'renewed'] += 1;
  }

  /** Applies a change that another instance has published, then acknowledges it. */
  private apply(message: string): void {
    const [changer = '', number = '', ...subject] = message.split(' ');
    if (changer === this.instance) {
      return;
    }
    this.store.drop(subject.join(' '));
    this.redis.publish(this.log.ackChannel(changer), `${number} ${this.instance}`);
  }

  private async revokeLease(reason?: string): Promise<void> {
    if (reason !== undefined && this.isTrusted) {
      this.logger.warn(`Memory is not trusted any more: ${reason}`);
    }
    this.revocations += 1;
    this.lease.revoke();
    this.store.dropAll();
    await this.leave();
  }

  /** Leaves the member list so that no change waits for this instance. If that fails, other instances remove it later. */
  private async leave(): Promise<void> {
    const { note } = this;
    this.note = undefined;
    if (note) {
      await this.log.remove(new Map([[this.instance, note]])).catch(() => undefined);
    }
  }

  private removeSilent(members: Members): void {
    const silent = this.silentMembers.observe(members, this.clock.monotonic());
    if (silent.size > 0) {
      this.log.remove(silent).catch(() => undefined);
    }
  }
}
