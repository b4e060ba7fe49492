import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { NearCache } from '../near-cache/index.js';
import { ServiceAccountReader } from '../service-accounts/read/index.js';
import { SessionReader } from '../user-slot/read/index.js';
import { DueItems } from './due-items.js';
import { GUARD_OPTIONS } from './guard.module-definition.js';
import { GUARD_DEFAULTS, type GuardOptions } from './guard.options.js';
import { watchedAccount, watchedSession, type Watched } from './watched.js';

/**
 * Why a long-lived connection must end. `ended`: its session has ended, its service account does not accept its token any more, or
 * its token was revoked. `not-confirmed`: this instance cannot find out whether that is so. `stopping`: this instance stops.
 */
export type AccessEnd = 'ended' | 'not-confirmed' | 'stopping';

const TICK_INTERVAL_MS = 250;
/** The maximum age of a state in the near cache. After this time, a watch also sees a change that was not announced. */
const RECHECK_INTERVAL_MS = 60_000;
/** A connection to a node is normally restored within this time. A longer time without a lease can hide too many changes. */
const UNTRUSTED_TIMEOUT_MS = 2000;
const CHECK_TIMEOUT_MS = 1800;
/** Limits the load on Redis when memory is emptied and everything that is watched is checked. */
const MAX_CONCURRENT_CHECKS = 50;

interface Watch {
  readonly watched: Watched;
  readonly subscribers: Map<Subscriber<AccessEnd>, Principal>;
  readonly stopListening: () => void;
  /** On the monotonic clock. */
  checkAt: number;
  /** Whether the subject was invalidated after the last check began. */
  isHinted: boolean;
  isChecking: boolean;
}

/**
 * Notifies long-lived connections (server-sent events, WebSockets, subscriptions) on this instance when the access of their caller
 * ends: with the session of a user, or when a service account does not accept the token any more. An instance that watches a
 * session or an account is a holder of it. A change therefore invalidates it on this instance, and the instance then checks once
 * what it watches. It also checks once a minute, because a session may expire. It costs nothing while there are no subscribers.
 */
@Injectable()
export class AccessWatch implements OnModuleDestroy {
  private readonly logger = new Logger('AccessWatch');
  private readonly audience: string;
  private readonly watches = new Map<string, Watch>();
  /** By the second at which the next check is due, on the monotonic clock. */
  private readonly checkTimes = new DueItems<Watch>();
  /** Watches whose check is due within a second, or waits for a lease or a free check. */
  private readonly soonDue = new Set<Watch>();
  /** By the second at which the token expires. */
  private readonly expiries = new DueItems<Subscriber<AccessEnd>>();
  private checks = 0;
  private timer: NodeJS.Timeout | undefined;
  private trustedAt = 0;
  private isStopped = false;

  constructor(
    private readonly sessions: SessionReader,
    private readonly accounts: ServiceAccountReader,
    private readonly cache: NearCache,
    private readonly clock: Clock,
    @Inject(GUARD_OPTIONS) { audience = GUARD_DEFAULTS.audience }: GuardOptions,
  ) {
    this.audience = audience;
  }

  /** Number of watched sessions and service accounts. */
  get count(): number {
    return this.watches.size;
  }

  /**
   * Emits once and completes when the connections of this caller must end. Unsubscribe when the connection is closed;
   * `takeUntil` does that. An expired access token ends the connections of a service account, which has nothing else that expires.
   * It does not end those of a user, whose session goes on.
   */
  endOf(principal: Principal): Observable<AccessEnd> {
    return new Observable((subscriber) => {
      if (this.isStopped) {
        end(subscriber, 'stopping');
        return undefined;
      }
      const watch = this.watchOf(principal);
      watch.subscribers.set(subscriber, principal);
      // The access may have ended after the guard accepted the request. Memory usually shows that it has not.
      watch.isHinted ||= watch.watched.recall()?.accepts(principal) !== true;
      this.checkSoon(watch);
      if (principal.kind === 'client') {
        const { expiresAtSeconds } = principal;
        this.expiries.add(expiresAtSeconds, subscriber);
        subscriber.add(() => this.expiries.delete(expiresAtSeconds, subscriber));
      }
      return () => this.remove(watch, subscriber);
    });
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    this.endAll('stopping');
  }

  private watchOf(principal: Principal): Watch {
    const watched =
      principal.kind === 'user'
        ? watchedSession(this.sessions, principal)
        : watchedAccount(this.accounts, principal, this.audience);
    const known = this.watches.get(watched.id);
    if (known) {
      return known;
    }
    const now = this.clock.monotonic();
    const watch: Watch = {
      watched,
      subscribers: new Map(),
      stopListening: this.cache.onDrop(watched.subject, () => {
        watch.isHinted = true;
        this.checkSoon(watch);
      }),
      checkAt: now + Math.min(RECHECK_INTERVAL_MS, watched.recall()?.endsInMs ?? 0),
      isHinted: false,
      isChecking: false,
    };
    this.watches.set(watched.id, watch);
    this.checkTimes.add(secondOf(watch.checkAt), watch);
    if (!this.timer) {
      this.trustedAt = now;
      this.timer = setInterval(() => this.tick(), TICK_INTERVAL_MS).unref();
    }
    return watch;
  }

  private remove(watch: Watch, subscriber: Subscriber<AccessEnd>): void {
    watch.subscribers.delete(subscriber);
    if (watch.subscribers.size > 0 || this.watches.get(watch.watched.id) !== watch) {
      return;
    }
    watch.stopListening();
    this.checkTimes.delete(secondOf(watch.checkAt), watch);
    this.soonDue.delete(watch);
    this.watches.delete(watch.watched.id);
    if (this.watches.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private tick(): void {
    const now = this.clock.monotonic();
    if (this.cache.isTrusted) {
      this.trustedAt = now;
    } else if (now - this.trustedAt >= UNTRUSTED_TIMEOUT_MS) {
      this.logger.warn(
        `Connections of ${this.count} sessions and service accounts end: this instance receives no changes.`,
      );
      this.endAll('not-confirmed');
      return;
    }
    this.expiries.take(this.clock.nowSeconds()).forEach((subscriber) => end(subscriber, 'ended'));
    this.checkTimes.take(secondOf(now)).forEach((watch) => this.soonDue.add(watch));
    this.soonDue.forEach((watch) => this.checkSoon(watch));
  }

  /** Does nothing without a lease, because this instance would miss a change after the check. The next tick tries again. */
  private checkSoon(watch: Watch): void {
    const isDue =
      watch.subscribers.size > 0 && (watch.isHinted || this.clock.monotonic() >= watch.checkAt);
    if (!isDue || watch.isChecking) {
      return;
    }
    if (!this.cache.isTrusted || this.checks >= MAX_CONCURRENT_CHECKS) {
      this.soonDue.add(watch);
      return;
    }
    this.soonDue.delete(watch);
    watch.isChecking = true;
    this.checks += 1;
    void this.check(watch).finally(() => {
      watch.isChecking = false;
      this.checks -= 1;
      this.checkSoon(watch);
    });
  }

  private scheduleCheck(watch: Watch, at: number): void {
    this.checkTimes.delete(secondOf(watch.checkAt), watch);
    watch.checkAt = at;
    // The last subscriber may have left while the check ran.
    if (this.watches.get(watch.watched.id) === watch) {
      this.checkTimes.add(secondOf(at), watch);
    }
  }

  private async check(watch: Watch): Promise<void> {
    const { watched, isHinted } = watch;
    watch.isHinted = false;
    this.scheduleCheck(watch, this.clock.monotonic() + RECHECK_INTERVAL_MS);
    try {
      const access = await watched.check(Deadline.after(CHECK_TIMEOUT_MS));
      if (!access) {
        this.end(watch, 'ended', () => true);
        return;
      }
      this.scheduleCheck(watch, Math.min(watch.checkAt, this.clock.monotonic() + access.endsInMs));
      this.end(watch, 'ended', (principal) => !access.accepts(principal));
    } catch (error) {
      if (isHinted) {
        this.logger.warn(`Connections of a caller end: ${(error as Error).message}`);
        this.end(watch, 'not-confirmed', () => true);
      }
    }
  }

  private end(watch: Watch, why: AccessEnd, concerns: (principal: Principal) => boolean): void {
    for (const [subscriber, principal] of [...watch.subscribers]) {
      if (concerns(principal)) {
        end(subscriber, why);
      }
    }
  }

  private endAll(why: AccessEnd): void {
    for (const watch of [...this.watches.values()]) {
      this.end(watch, why, () => true);
    }
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Completion runs the teardown, which removes the subscriber. */
function end(subscriber: Subscriber<AccessEnd>, why: AccessEnd): void {
  subscriber.next(why);
  subscriber.complete();
}
