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
 * Why a long-lived connection has to end. `ended`: its session has ended, or its token was revoked. `not-confirmed`: this
 * instance cannot tell whether the session goes on. `stopping`: this instance stops.
 */
export type SessionEnd = 'ended' | 'not-confirmed' | 'stopping';

const TICK_INTERVAL_MS = 250;
/** As long as the near cache remembers a session: a change that nobody announced is found by then. */
const RECHECK_INTERVAL_MS = 60_000;
/** A lost connection to one node comes back within this time. After it, changes may have been missed for too long. */
const UNTRUSTED_TIMEOUT_MS = 2000;
const CHECK_TIMEOUT_MS = 1800;
/** When memory is dropped, all sessions are checked. Redis gets so many checks at a time. */
const MAX_CONCURRENT_CHECKS = 50;

type Watched = Pick<UserPrincipal, 'userId' | 'sessionId' | 'tokenId'>;

interface Watch extends Omit<Watched, 'tokenId'> {
  readonly key: SessionKey;
  readonly subscribers: Map<Subscriber<SessionEnd>, string>;
  readonly stopListening: () => void;
  /** On the monotonic clock. */
  checkAt: number;
  /** Whether something has changed since the last check began. */
  isHinted: boolean;
  isChecking: boolean;
}

/**
 * Tells long-lived connections (server-sent events, WebSockets) when their session ends, on the instance that serves them.
 * A change of the user drops the user from memory on each instance; each instance then checks the user's watched sessions
 * once. Sessions are also checked once a minute, for those that run out. Costs nothing while nobody subscribes.
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

  /** Sessions that somebody watches. */
  get count(): number {
    return this.watches.size;
  }

  /**
   * Emits once and completes, when connections of this session have to end. Unsubscribe when the connection is closed:
   * `takeUntil` does. The end of the access token's life is no end of the session.
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
      ...{ userId, sessionId, key },
      subscribers: new Map(),
      stopListening: this.cache.onDrop(userSubject(userId), () => {
        watch.isHinted = true;
        this.checkSoon(watch);
      }),
      checkAt:
        now + Math.min(RECHECK_INTERVAL_MS, remembered?.state === 'live' ? remembered.maxAgeMs : 0),
      // The session may have ended since the guard let the request in. If it has not, memory usually says so.
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

  /** Not while memory is not trusted: a change after the check could not be heard of. The next tick tries again. */
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
      const result = await this.sessions.check(userId, sessionId, deadline);
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
