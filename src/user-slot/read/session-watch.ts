import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';

import type { UserPrincipal } from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { NearCache } from '../../near-cache/index.js';
import type { SessionKey } from '../session.js';
import { sessionCacheKey, userSubject } from '../user-slot.keys.js';
import { SessionReader } from './session.reader.js';

/**
 * Why a long-lived connection must end. `ended`: its session has ended, or its token was revoked. `not-confirmed`: this
 * instance cannot find out whether the session is live. `stopping`: this instance stops.
 */
export type SessionEnd = 'ended' | 'not-confirmed' | 'stopping';

const TICK_INTERVAL_MS = 250;
/** The maximum age of a session in the near cache. After this time, a watch also sees a change that was not announced. */
const RECHECK_INTERVAL_MS = 60_000;
/** A connection to a node is normally restored within this time. A longer time without a lease can hide too many changes. */
const UNTRUSTED_TIMEOUT_MS = 2000;
const CHECK_TIMEOUT_MS = 1800;
/** Limits the load on Redis when memory is emptied and all watched sessions are checked. */
const MAX_CONCURRENT_CHECKS = 50;

type Watched = Pick<UserPrincipal, 'userId' | 'sessionId' | 'tokenId'>;

interface Watch extends Omit<Watched, 'tokenId'> {
  readonly key: SessionKey;
  readonly subscribers: Map<Subscriber<SessionEnd>, string>;
  readonly stopListening: () => void;
  /** On the monotonic clock. */
  checkAt: number;
  /** Whether the user was invalidated after the last check began. */
  isHinted: boolean;
  isChecking: boolean;
}

/**
 * Notifies long-lived connections (server-sent events, WebSockets) on this instance when their session ends. An instance
 * that watches a session is a holder of its user. A change of the user therefore invalidates the user on this instance, and
 * the instance then checks the watched sessions of the user once. It also checks each watched session once a minute, because
 * a session may expire. It costs nothing while there are no subscribers.
 */
@Injectable()
export class SessionWatch implements OnModuleDestroy {
  private readonly logger = new Logger('SessionWatch');
  private readonly watches = new Map<string, Watch>();
  private checks = 0;
  private timer: NodeJS.Timeout | undefined;
  private trustedAt = 0;
  private isStopped = false;

  constructor(
    private readonly sessions: SessionReader,
    private readonly cache: NearCache,
    private readonly clock: Clock,
  ) {}

  /** Number of watched sessions. */
  get count(): number {
    return this.watches.size;
  }

  /**
   * Emits once and completes when the connections of this session must end. Unsubscribe when the connection is closed;
   * `takeUntil` does that. An expired access token does not end the session.
   */
  endOf(principal: Watched): Observable<SessionEnd> {
    return new Observable((subscriber) => {
      if (this.isStopped) {
        end(subscriber, 'stopping');
        return undefined;
      }
      const watch = this.watchOf(principal);
      watch.subscribers.set(subscriber, principal.tokenId);
      return () => this.remove(watch, subscriber);
    });
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    this.endAll('stopping');
  }

  private watchOf({ userId, sessionId }: Watched): Watch {
    const key = sessionCacheKey(userId, sessionId);
    const known = this.watches.get(key.id);
    if (known) {
      return known;
    }
    const now = this.clock.monotonic();
    const remembered = this.sessions.recall(key);
    const watch: Watch = {
      userId,
      sessionId,
      key,
      subscribers: new Map(),
      stopListening: this.cache.onDrop(userSubject(userId), () => {
        watch.isHinted = true;
        this.checkSoon(watch);
      }),
      checkAt:
        now + Math.min(RECHECK_INTERVAL_MS, remembered?.state === 'live' ? remembered.maxAgeMs : 0),
      // The session may have ended after the guard accepted the request. Memory usually shows that it is live.
      isHinted: remembered?.state !== 'live',
      isChecking: false,
    };
    this.watches.set(key.id, watch);
    if (!this.timer) {
      this.trustedAt = now;
      this.timer = setInterval(() => this.tick(), TICK_INTERVAL_MS).unref();
    }
    this.checkSoon(watch);
    return watch;
  }

  private remove(watch: Watch, subscriber: Subscriber<SessionEnd>): void {
    watch.subscribers.delete(subscriber);
    if (watch.subscribers.size > 0 || this.watches.get(watch.key.id) !== watch) {
      return;
    }
    watch.stopListening();
    this.watches.delete(watch.key.id);
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
        `Connections of ${this.count} sessions end: changes of them cannot be heard of.`,
      );
      this.endAll('not-confirmed');
      return;
    }
    for (const watch of this.watches.values()) {
      if (watch.isHinted || now >= watch.checkAt) {
        this.checkSoon(watch);
      }
    }
  }

  /** Does nothing without a lease, because this instance would miss a change after the check. The next tick tries again. */
  private checkSoon(watch: Watch): void {
    const isDue = watch.isHinted || this.clock.monotonic() >= watch.checkAt;
    if (isDue && !watch.isChecking && this.cache.isTrusted && this.checks < MAX_CONCURRENT_CHECKS) {
      watch.isChecking = true;
      this.checks += 1;
      void this.check(watch).finally(() => {
        watch.isChecking = false;
        this.checks -= 1;
        this.checkSoon(watch);
      });
    }
  }

  private async check(watch: Watch): Promise<void> {
    const { userId, sessionId, isHinted } = watch;
    watch.isHinted = false;
    watch.checkAt = this.clock.monotonic() + RECHECK_INTERVAL_MS;
    try {
      const deadline = Deadline.after(CHECK_TIMEOUT_MS);
      const result = await this.sessions.checkAndWatch(userId, sessionId, deadline);
      if (result.state === 'ended') {
        this.end(watch, 'ended');
        return;
      }
      watch.checkAt = Math.min(watch.checkAt, this.clock.monotonic() + result.endsInMs);
      this.end(watch, 'ended', (tokenId) => result.revokedTokens.has(tokenId));
    } catch (error) {
      if (isHinted) {
        this.logger.warn(`Connections of a session end: ${(error as Error).message}`);
        this.end(watch, 'not-confirmed');
      }
    }
  }

  private end(watch: Watch, why: SessionEnd, concerns?: (tokenId: string) => boolean): void {
    for (const [subscriber, tokenId] of [...watch.subscribers]) {
      if (concerns?.(tokenId) ?? true) {
        end(subscriber, why);
      }
    }
  }

  private endAll(why: SessionEnd): void {
    for (const watch of [...this.watches.values()]) {
      this.end(watch, why);
    }
  }
}

/** Completion runs the teardown, which removes the subscriber. */
function end(subscriber: Subscriber<SessionEnd>, why: SessionEnd): void {
  subscriber.next(why);
  subscriber.complete();
}
