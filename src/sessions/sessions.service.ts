import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { truncated, type Origin } from '../common/origin/index.js';
import { CacheKey, NearCache } from '../near-cache/index.js';
import { NotConfirmedError, RedisCluster, RedisUnavailableError } from '../redis-cluster/index.js';
import { UsersService, userSubject, userTag } from '../users/index.js';
import type {
  NewSession,
  PresentedToken,
  RefreshExchange,
  RefreshOutcome,
  Session,
  SessionCheck,
  SessionKey,
  SessionState,
} from './session.js';
import { SESSIONS_OPTIONS } from './sessions.module-definition.js';
import { SESSIONS_DEFAULTS, type SessionsOptions } from './sessions.options.js';
import { scripts, USER_FIELDS } from './sessions.scripts.js';

/** Longer than any write can be late, and than any access token lives. */
const ENDED_MARK_MS = 2 * 3_600_000;
/** Of the ended sessions of a user, the last so many are remembered: more than can end while a write is late. */
const MOST_ENDED_MARKS = 200;
const USER_AGENT_MAX_LENGTH = 256;
/** An IPv6 address with its zone takes fewer. A trusted proxy may forward any text. */
const IP_MAX_LENGTH = 64;
/**
 * Verified tokens that a session remembers: the newest and those that a refresh has replaced but that are still valid. One
 * that is forgotten has its signature checked again.
 */
const MAX_VERIFIED_TOKENS = 3;
/** In base64url: 132 bits. We choose what is in a token, so nobody can look for two that are alike. */
const TOKEN_DIGEST_LENGTH = 22;
/** Refreshes that a session may make at once. After that, one for each interval. */
const REFRESH_BURST = 30;
/** Shorter where access tokens live shorter than ten seconds: two refreshes in the life of a token are always allowed. */
const REFRESH_INTERVAL_MS = 5000;
/** Each is about 1.3 KiB for as long as the grace lasts. More exchanges than tabs of one browser make within it. */
const MAX_KEPT_ANSWERS = 8;
/** How often the use of a session is written down, as a part of its idle life. */
const USES_NOTED_PER_IDLE_LIFE = 10;

/**
 * Sessions in Redis, each in the slot of its user, and in the near cache. Each remembers the digests of its last verified
 * access tokens, so that one round trip tells both whether a token was verified and whether its session lives.
 */
@Injectable()
export class SessionsService {
  private readonly options: Required<SessionsOptions>;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly users: UsersService,
    private readonly audit: AuditLog,
    @Inject(SESSIONS_OPTIONS) options: SessionsOptions,
  ) {
    this.options = { ...SESSIONS_DEFAULTS, ...options };
  }

  /**
   * Starts a session. Where the user has as many as may be, those end that were not used for longest.
   *
   * @returns false when the user was deleted, disabled or given another password since it was verified
   * @throws NotConfirmedError
   */
  async start(session: NewSession, deadline: Deadline): Promise<boolean> {
    const result = await this.tryToStart(session, false, deadline);
    if (result !== 'full') {
      return result === 'started';
    }
    // To make room takes tokens their power, so every instance has to know.
    const start = async () => this.tryToStart(session, true, deadline);
    return (await this.cache.change(userSubject(session.userId), start, deadline)) === 'started';
  }

  /** @returns what memory says about a session, if it may be trusted; nothing is asked */
  recall(key: SessionKey): SessionState | undefined {
    return this.cache.peek(key);
  }

  /**
   * What decides about the tokens of a session, from memory or from Redis.
   *
   * @param ask notes the use of the session; see `use`
   * @param isVerified whether the caller has verified the signature of the token that it asks for
   * @throws RedisUnavailableError
   */
  async stateOf(
    key: SessionKey,
    isVerified: boolean,
    ask: () => Promise<SessionState>,
  ): Promise<SessionState> {
    const idleMs = this.options.idleTtlSeconds * 1000;
    return this.cache.get(key, ask, {
      // An answer about a forged token is of no use to others.
      isShared: isVerified,
      maxAgeMs: (decision) => {
        switch (decision.state) {
          case 'live':
            return Math.min(decision.maxAgeMs, idleMs / USES_NOTED_PER_IDLE_LIFE);
          case 'ended':
            return Infinity;
          case 'unverified':
            return 0;
        }
      },
    });
  }

  keyOf({ userId, sessionId }: Pick<PresentedToken, 'userId' | 'sessionId'>): SessionKey {
    return new CacheKey(userSubject(userId), `session.${sessionId}`);
  }

  /**
   * Asks Redis for the session of a token, and notes its use.
   *
   * @param isVerified whether the caller has verified the token's signature; the result is then kept for the next time
   * @throws RedisUnavailableError
   */
  async use(token: PresentedToken, isVerified: boolean, deadline: Deadline): Promise<SessionState> {
    const { userId, sessionId } = token;
    try {
      const decision = await this.redis.runDurably(
        scripts.use,
        [this.key(userId, 'record'), this.key(userId, 'sessions'), this.key(userId, 'fence')],
        [
          sessionId,
          isVerified ? 1 : 0,
          tokenDigest(token.token),
          MAX_VERIFIED_TOKENS,
          this.options.idleTtlSeconds * 1000,
          ...USER_FIELDS,
        ],
        deadline,
      );
      if (decision.state === 'ended') {
        // The call that ended it may have failed before every instance had acknowledged.
        await this.cache.settle(userSubject(userId), deadline);
      }
      return decision;
    } catch (error) {
      // What it writes is only the proof of what it read: to the caller this is a look-up.
      throw error instanceof NotConfirmedError
        ? new RedisUnavailableError('the session could not be asked for', { cause: error })
        : error;
    }
  }

  /**
   * Asks Redis whether a session goes on, without noting a use.
   *
   * @throws RedisUnavailableError, NotConfirmedError when that cannot be told
   */
  async check(userId: string, sessionId: string, deadline: Deadline): Promise<SessionCheck> {
    return this.redis.runDurably(
      scripts.check,
      ['record', 'sessions', 'fence'].map((part) => this.key(userId, part)),
      [sessionId, this.options.idleTtlSeconds * 1000],
      deadline,
    );
  }

  /**
   * The live sessions of a user for an administrator; the read is recorded.
   *
   * @returns undefined when there is no such user
   * @throws RedisUnavailableError
   */
  async read(userId: string, origin: Origin, deadline: Deadline): Promise<Session[] | undefined> {
    const isUser = (await this.users.find(userId, deadline)) !== undefined;
    const sessions = isUser ? await this.list(userId, deadline) : undefined;
    this.audit.record({
      type: 'sessions-read',
      result: isUser ? 'success' : 'failure',
      reason: isUser ? undefined : 'not-found',
      userId,
      ...origin.facts,
    });
    return sessions;
  }

  /** The live sessions of the own user, the one that was used last first. @throws RedisUnavailableError */
  async list(userId: string, deadline: Deadline): Promise<Session[]> {
    return this.redis.run(
      scripts.list,
      [this.key(userId, 'record'), this.key(userId, 'sessions')],
      [this.options.idleTtlSeconds * 1000],
      deadline,
    );
  }

  /**
   * Ends a session like `end`, for a caller who may repeat that for ever. When it returns, the session is over everywhere,
   * and one that was over already has cost a look-up only.
   *
   * @throws NotConfirmedError
   */
  async endIfLive(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const { state } = await this.check(userId, sessionId, deadline);
    if (state === 'live') {
      await this.end(userId, sessionId, origin, deadline);
    } else {
      // The call that ended it may have failed before every instance had acknowledged.
      await this.cache.settle(userSubject(userId), deadline);
    }
  }

  /** Ends a session for good, everywhere. @returns whether there was one @throws NotConfirmedError */
  async end(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<boolean> {
    const keys = ['record', 'sessions', 'fence'].map((part) => this.key(userId, part));
    const idleMs = this.options.idleTtlSeconds * 1000;
    const type = origin.facts.actorSessionId === sessionId ? 'logged-out' : 'session-ended';
    const end = async (sequence: string): Promise<boolean> =>
      this.redis.runDurably(scripts.end, keys, [sessionId, sequence, idleMs], deadline);
    return this.audit.recordChange(
      [{ type, userId, sessionId, ...origin.facts }],
      async () => this.cache.change(userSubject(userId), end, deadline),
      Boolean,
    );
  }

  /**
   * Ends all sessions of a user, everywhere.
   *
   * @param exceptSessionId one that goes on
   * @returns whether there is such a user
   * @throws NotConfirmedError
   */
  async endAll(
    userId: string,
    exceptSessionId: string | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<boolean> {
    const details = { except: exceptSessionId };
    return this.audit.recordChange(
      [{ type: 'sessions-ended', userId, ...origin.facts, details }],
      async () => this.users.endSessions(userId, exceptSessionId, deadline),
      Boolean,
    );
  }

  /**
   * Revokes one access token of a session that goes on, everywhere (RFC 7009).
   *
   * @param expiresAt when the token would have run out
   * @throws NotConfirmedError
   */
  async revokeToken(
    userId: string,
    sessionId: string,
    tokenId: string,
    expiresAt: Date,
    deadline: Deadline,
  ): Promise<void> {
    const keys = [this.key(userId, 'sessions'), this.key(userId, 'fence')];
    const args = [sessionId, tokenId, expiresAt.getTime()];
    await this.cache.change(
      userSubject(userId),
      async () => this.redis.runDurably(scripts.revokeToken, keys, args, deadline),
      deadline,
    );
  }

  /**
   * Exchanges a refresh token for its successor. Of any number of exchanges of one token one succeeds; the others are
   * led to the newest answer of the session for as long as the grace lasts, counted from the exchange of their token.
   *
   * @throws NotConfirmedError: repeating it gives the same answer, within the grace
   */
  async exchange(exchange: RefreshExchange, deadline: Deadline): Promise<RefreshOutcome> {
    const { userId, sessionId } = exchange;
    const { refreshGraceSeconds, idleTtlSeconds, isRefreshLimited } = this.options;
    const accessTtlMs = exchange.accessTtlSeconds * 1000;
    const result = await this.redis.runDurably(
      scripts.rotate,
      [
        this.key(userId, 'record'),
        this.key(userId, 'sessions'),
        this.key(userId, 'refresh-answer', sessionId),
        this.key(userId, 'fence'),
      ],
      [
        sessionId,
        sha256(exchange.presented.reveal()),
        sha256(exchange.successor.reveal()),
        exchange.sealedAnswer,
        refreshGraceSeconds * 1000,
        idleTtlSeconds * 1000,
        tokenDigest(exchange.accessToken.reveal()),
        MAX_VERIFIED_TOKENS,
        isRefreshLimited ? REFRESH_BURST : 0,
        Math.min(REFRESH_INTERVAL_MS, accessTtlMs / 2),
        MAX_KEPT_ANSWERS,
      ],
      deadline,
    );
    if (result.outcome === 'ended') {
      await this.cache.settle(userSubject(userId), deadline);
    }
    return result;
  }

  private async tryToStart(
    session: NewSession,
    mayMakeRoom: boolean,
    deadline: Deadline,
  ): Promise<'started' | 'full' | 'refused'> {
    const { userId, id } = session;
    const { idleTtlSeconds, maxAgeSeconds, maxPerUser } = this.options;
    return this.redis.runDurably(
      scripts.start,
      [this.key(userId, 'record'), this.key(userId, 'sessions')],
      [
        id,
        session.passwordVersion,
        idleTtlSeconds * 1000,
        maxAgeSeconds * 1000,
        tokenDigest(session.accessToken.reveal()),
        maxPerUser,
        mayMakeRoom ? 1 : 0,
        ENDED_MARK_MS,
        MOST_ENDED_MARKS,
        truncated(session.ip, IP_MAX_LENGTH),
        truncated(session.userAgent, USER_AGENT_MAX_LENGTH),
        sha256(session.refreshToken.reveal()),
      ],
      deadline,
    );
  }

  private key(userId: string, ...parts: string[]): string {
    return this.redis.keys.key(userTag(userId), ...parts);
  }
}

function tokenDigest(accessToken: string): string {
  return sha256(accessToken).slice(0, TOKEN_DIGEST_LENGTH);
}
