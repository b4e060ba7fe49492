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

const PAUSE_AFTER_FAILURE_MS = 100;
const POLL_MS = 10;

/**
 * Keeps this instance among those who are told of changes, and thereby entitled to trust its memory. Safety rests on the
 * lease alone: a renewal brings what has changed, which is applied before the lease is extended. The channel only makes
 * changes quick.
 */
@Injectable()
export class Membership implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** New for each process: two never share one. */
  readonly instance = randomUUID();
  /** Called with what other instances say about the changes of this one. */
  onApplied: (message: string) => void = () => undefined;

  private readonly logger = new Logger('NearCache');
  private readonly lease: Lease;
  private readonly silentMembers = new SilentMembers();
  private position: string | undefined;
  private note: MemberNote | undefined;
  private renewals = 0;
  private confirmed = { joined: 0, renewed: 0 };
  /** Goes up when trust is withdrawn: a renewal that was under way then extends nothing. */
  private withdrawals = 0;
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

  /** Whether the shard of the log takes no writes from anybody, so that nobody can renew. Known from the last renewals. */
  get isHeldUp(): boolean {
    return this.isLogReadOnly;
  }

  get leaseRemainingMs(): number {
    return this.lease.remainingMs;
  }

  /** Leases that were begun and renewed. */
  get leaseEvents(): Readonly<Record<'joined' | 'renewed', number>> {
    return this.confirmed;
  }

  async untilTrusted(): Promise<void> {
    while (!this.isTrusted && !this.isStopped) {
      await this.clock.delay(POLL_MS);
    }
  }

  /** Asks for the next renewal at once. */
  renewSoon(): void {
    this.isRenewalDue = true;
    this.wake.abort();
  }

  onApplicationBootstrap(): void {
    const applied = this.log.appliedChannel(this.instance);
    this.redis.subscribe([this.log.changesChannel, applied], {
      onUp: () => {
        this.isListening = true;
        this.renewSoon();
      },
      onDown: () => {
        this.isListening = false;
        void this.withdraw('the channel for changes was lost');
      },
      onMessage: (channel, message) =>
        channel === applied ? this.onApplied(message) : this.apply(message),
    });
    void this.keepRenewing();
  }

  /** Requests that are still under way then ask Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.renewSoon();
    await this.withdraw();
  }

  private async keepRenewing(): Promise<void> {
    let wasTrusted = false;
    while (!this.isStopped) {
      this.isRenewalDue = false;
      const hasFailed = this.isListening && !(await this.tryToRenew(wasTrusted));
      wasTrusted = this.isTrusted;
      // One that was asked for meanwhile comes at once.
      if (!this.isRenewalDue || !this.isListening || hasFailed) {
        await this.pause(
          hasFailed ? PAUSE_AFTER_FAILURE_MS : this.lease.lengthMs / RENEWALS_PER_LEASE,
        );
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
    const { withdrawals } = this;
    const isTrusted = this.isTrusted;
    if (!isTrusted) {
      // For good: a clock that jumps must not bring it back while this instance is noted as one that has forgotten.
      this.lease.revoke();
    }
    // Before it is sent: the lease runs from here, however long the answer takes.
    const begun = this.lease.moment();
    this.renewals += 1;
    const renewal = await this.log.renew({
      instance: this.instance,
      leaseMs: this.lease.lengthMs,
      number: this.renewals,
      // Whoever has lost trust begins anew, instead of catching up from a log that he may know too little of.
      position: isTrusted ? this.position : undefined,
    });
    this.note = renewal.members.get(this.instance);
    this.removeSilent(renewal.members);
    if (withdrawals !== this.withdrawals) {
      await this.leave();
      return;
    }
    if (renewal.hasJoined) {
      this.store.dropAll();
    } else {
      renewal.changes.forEach((subject) => this.store.drop(subject));
    }
    // All that changed is applied. Only now may the lease go on.
    this.position = renewal.position;
    this.lease.extend(begun);
    if (renewal.hasJoined && this.confirmed.joined > 0) {
      this.logger.log('Memory is trusted again, and empty.');
    }
    this.confirmed[renewal.hasJoined ? 'joined' : 'renewed'] += 1;
  }

  /** A change by another instance, told on the channel: applied, then acknowledged. */
  private apply(message: string): void {
    const [changer = '', number = '', ...subject] = message.split(' ');
    if (changer === this.instance) {
      return;
    }
    this.store.drop(subject.join(' '));
    this.redis.publish(this.log.appliedChannel(changer), `${number} ${this.instance}`);
  }

  private async withdraw(reason?: string): Promise<void> {
    if (reason !== undefined && this.isTrusted) {
      this.logger.warn(`Memory is not trusted any more: ${reason}`);
    }
    this.withdrawals += 1;
    this.lease.revoke();
    this.store.dropAll();
    await this.leave();
  }

  /** So that no change waits for this instance. If it fails, others notice its silence. */
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
