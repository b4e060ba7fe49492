import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { isReadOnlyShard } from '../redis-cluster/index.js';
import type { Holder } from './directory.js';
import { FormerIds } from './former-ids.js';
import { Inboxes } from './inboxes.js';
import { Lease } from './lease.js';
import { LocalStore } from './local-store.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import {
  NEAR_CACHE_DEFAULTS,
  RENEWALS_PER_LEASE,
  type NearCacheOptions,
} from './near-cache.options.js';

const RETRY_INTERVAL_MS = 100;
const POLL_INTERVAL_MS = 10;
/** Fewer posts arrive between two renewals. */
const MAX_APPLIED = 10_000;

/**
 * Keeps the inbox and the lease of this instance. Correctness depends on the lease alone: a renewal returns the posts since
 * the last one, and the instance applies them before it extends the lease. The channel only makes changes take effect
 * sooner.
 */
@Injectable()
export class Membership
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  /** Called when another instance acknowledges a change that this instance has announced. */
  onAcknowledged: (message: string) => void = () => undefined;

  private readonly logger = new Logger('NearCache');
  private readonly lease: Lease;
  private id: string = randomUUID();
  private readonly formerIds: FormerIds;
  private unsubscribe: () => void = () => undefined;
  private renewals = 0;
  /** Whether this id has held a lease. */
  private isOpened = false;
  private confirmedRenewal = 0;
  private position = 0;
  /** Posts that the channel has delivered. A renewal returns them once more. */
  private readonly applied = new Set<string>();
  /** When this instance last reached its inbox or chose a new one, on the monotonic clock. */
  private reachedAt = 0;
  private confirmed = { joined: 0, renewed: 0 };
  private isListening = false;
  private isStopped = false;
  private isRenewalDue = false;
  private isInboxReadOnly = false;
  private wake = new AbortController();

  constructor(
    private readonly inboxes: Inboxes,
    private readonly store: LocalStore,
    private readonly clock: Clock,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    this.formerIds = new FormerIds(inboxes);
    this.lease = new Lease(options.leaseMs ?? NEAR_CACHE_DEFAULTS.leaseMs, clock);
  }

  /** This instance as a holder. The id changes when the instance begins anew, so an id stands for one memory only. */
  get holder(): Holder {
    return { instance: this.id, leaseMs: this.lease.lengthMs };
  }

  /** Whether an id is the current one or a former one of this process. */
  isOwn(instance: string): boolean {
    return instance === this.id || this.formerIds.has(instance);
  }

  /** Whether this instance may answer from memory, now. */
  get isTrusted(): boolean {
    return this.lease.isHeld;
  }

  /** @param now the current time on the monotonic clock, for a caller that needs it as well */
  isTrustedAt(now: number): boolean {
    return this.lease.remainingMsAt(now) > 0;
  }

  /** A key in the slot of the inbox. While no master serves it, this instance cannot renew its lease there. */
  get leaseKey(): string {
    return this.inboxes.leaseKey(this.id);
  }

  /** Whether the last renewals failed because the shard of the inbox rejects all writes. */
  get isHeldUp(): boolean {
    return this.isInboxReadOnly;
  }

  get leaseRemainingMs(): number {
    return this.lease.remainingMs;
  }

  /** `joined`: how many leases began with empty memory. `renewed`: how many other renewals succeeded. */
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

  /** Keeps the inbox away from the shard of a key, if it is called before the application has started. */
  keepApartFrom(key: string): void {
    this.inboxes.keepApartFrom(key);
  }

  onApplicationBootstrap(): void {
    void this.keepRenewing();
  }

  /** Gives up the lease and closes the inbox, so that no change waits for this instance. Requests then read from Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.renewSoon();
    this.forgetAll();
    if (this.isOpened) {
      this.formerIds.add(this.id);
    }
    await this.formerIds.retireAtStop();
  }

  /** Not earlier: requests that are still in progress may make changes, and wait for their acknowledgements. */
  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  private openInbox(avoidedMaster?: string, isApart = true): void {
    const id = this.inboxes.newInstance(avoidedMaster, isApart);
    this.id = id;
    this.renewals = 0;
    this.isOpened = false;
    this.confirmedRenewal = 0;
    this.position = 0;
    this.applied.clear();
    this.reachedAt = this.clock.monotonic();
    this.isListening = false;
    this.unsubscribe = this.inboxes.subscribe(id, {
      onUp: () => {
        this.isListening = true;
      },
      onDown: () => {
        this.isListening = false;
        this.renewSoon();
      },
      onPost: (message) => {
        this.apply(message);
        // A renewal never returns a post that a failover has lost, so its message would stay here.
        if (this.applied.size >= MAX_APPLIED) {
          this.applied.clear();
        }
        this.applied.add(message);
      },
      onAcknowledgement: (message) => this.onAcknowledged(message),
    });
  }

  private async keepRenewing(): Promise<void> {
    while (!this.inboxes.isConnected && !this.isStopped) {
      await this.pause(POLL_INTERVAL_MS);
    }
    if (this.isStopped) {
      return;
    }
    this.openInbox();
    let wasTrusted = false;
    while (!this.isStopped) {
      this.isRenewalDue = false;
      const hasFailed = !(await this.tryToRenew(wasTrusted));
      wasTrusted = this.isTrusted;
      // A renewal that was requested in the meantime starts at once.
      if (!this.isRenewalDue || hasFailed) {
        const isHurried = hasFailed || !this.isListening;
        await this.pause(isHurried ? RETRY_INTERVAL_MS : this.lease.lengthMs / RENEWALS_PER_LEASE);
      }
    }
  }

  private async tryToRenew(wasTrusted: boolean): Promise<boolean> {
    try {
      const isRenewed = await this.renew();
      // Another outcome does not need a write, so it does not show that the shard takes writes again.
      this.isInboxReadOnly &&= !isRenewed;
      return isRenewed;
    } catch (error) {
      this.isInboxReadOnly ||= isReadOnlyShard(error);
      if (wasTrusted && !this.isTrusted) {
        this.logger.warn(`Memory is not trusted any more: ${(error as Error).message}`);
      }
      const isAway = this.clock.monotonic() - this.reachedAt >= this.lease.lengthMs;
      if (isAway && !this.isTrusted && !this.isStopped) {
        // The shard of the inbox does not answer. Another shard may.
        this.beginAnew(this.inboxes.masterOf(this.id));
      }
      return false;
    }
  }

  private async pause(ms: number): Promise<void> {
    this.wake = new AbortController();
    await this.clock.delay(ms, { signal: this.wake.signal, ref: false }).catch(() => undefined);
  }

  /** @returns false when this instance must begin anew */
  private async renew(): Promise<boolean> {
    const isEmpty = !this.isTrusted;
    if (isEmpty && !this.lease.isRevoked) {
      // The lease has expired by the clock. Revoke it: if the clock were set back now, the old lease would become valid
      // again.
      this.forgetAll();
    }
    // Taken before the request is sent: the lease starts here, however long the reply takes.
    const begun = this.lease.moment();
    this.renewals += 1;
    const number = this.renewals;
    const renewal = await this.inboxes.renew({
      instance: this.id,
      number,
      position: this.position,
      confirmed: this.confirmedRenewal,
    });
    if (this.isStopped || renewal.outcome === 'late') {
      return false;
    }
    if (renewal.outcome === 'closed') {
      // An inbox that was never opened is missing because its first renewal was lost. This deserves no warning.
      if (this.isOpened) {
        this.logger.warn('This instance begins anew: its inbox was closed or lost.');
      }
      this.beginAnew();
      return false;
    }
    for (const message of renewal.messages) {
      // The channel has already delivered some of the posts, and they are applied. Another drop would only cost a load.
      if (!this.applied.delete(message)) {
        this.apply(message);
      }
    }
    // These come after the posts: the position and the extended lease both tell a change that the posts are applied.
    this.position = renewal.sequence;
    this.confirmedRenewal = number;
    this.reachedAt = this.clock.monotonic();
    this.lease.extend(begun);
    if (isEmpty && this.confirmed.joined > 0) {
      this.logger.log('Memory is trusted again, and empty.');
    }
    this.confirmed[isEmpty ? 'joined' : 'renewed'] += 1;
    this.isOpened = true;
    this.formerIds.retire();
    return true;
  }

  /** Applies a change that another instance has posted, then acknowledges it. */
  private apply(message: string): void {
    const [changer = '', number = '', ...subject] = message.split(' ');
    this.store.drop(subject.join(' '));
    this.inboxes.acknowledge(changer, `${number} ${this.id}`);
  }

  private forgetAll(): void {
    this.lease.revoke();
    this.store.dropAll();
  }

  /** Continues with empty memory, under a new id and with a new inbox. */
  private beginAnew(avoidedMaster?: string): void {
    this.unsubscribe();
    this.forgetAll();
    if (this.isOpened) {
      this.formerIds.add(this.id);
    }
    // When the last choice was not usable either, every other shard is welcome.
    this.openInbox(avoidedMaster, this.isOpened);
  }
}
