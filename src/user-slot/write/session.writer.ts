import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import { truncated } from '../../common/origin/index.js';
import { CHANGE_NUMBER, type NearCache, type SlotCall } from '../../near-cache/index.js';
import type { RedisCluster } from '../../redis-cluster/index.js';
import type {
  Authentication,
  NewSession,
  RaisedSession,
  RefreshExchange,
  RefreshOutcome,
} from '../session.js';
import type { SessionLimits } from '../session-limits.js';
import { isOne, slotScript } from '../slot-script.js';
import { MAX_VERIFIED_TOKENS, tokenDigest } from '../token-digests.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';

/** Longer than the delay of any late write, and than the lifetime of any access token. */
const ENDED_MARK_TTL_MS = 2 * 3_600_000;
/** How many marks of ended sessions a user keeps: more than sessions can end during the delay of a late write. */
const MAX_ENDED_MARKS = 200;
const MAX_USER_AGENT_LENGTH = 256;
/** Longer than an IPv6 address with its zone. A limit is needed, because a trusted proxy may forward any text. */
const MAX_IP_LENGTH = 64;
/** A session may refresh this many times in a row. After that, it may refresh once in each interval. */
const REFRESH_BURST = 30;
/** Shorter if access tokens live less than ten seconds: two refreshes in the lifetime of a token are always allowed. */
const REFRESH_INTERVAL_MS = 5000;
/** Each answer takes about 1.3 KiB during the grace period. The tabs of one browser need fewer. */
const MAX_KEPT_ANSWERS = 8;
/** More than a user reauthenticates between two refreshes. Each takes 80 bytes. */
const MAX_OTHER_TOKENS = 8;

export type StartOutcome =
  | { readonly outcome: 'started' }
  /** The user was deleted or disabled, or the password or the factors have changed since they were verified. */
  | { readonly outcome: 'refused' }
  /** The types of the user's factors. Nothing was written. */
  | { readonly outcome: 'second-factor-required'; readonly factors: readonly string[] };

export type RaiseOutcome =
  | { readonly outcome: 'raised' }
  /** The session is not live, or the password or the factors have changed since they were verified. */
  | { readonly outcome: 'refused' }
  /** The types of the user's factors, of which none was checked. Nothing was written. */
  | { readonly outcome: 'second-factor-required'; readonly factors: readonly string[] };

type StartReply = StartOutcome | { readonly outcome: 'full' };

const scripts = {
  start: slotScript('start-session', parseStart),
  raise: slotScript('raise-session', parseRaise),
  end: slotScript('end-session', isOne),
  rotate: slotScript('rotate-refresh-token', parseRefresh),
  revokeToken: slotScript('revoke-token', isOne),
};

/**
 * Starts, refreshes and ends sessions in Redis. When a method that revokes tokens returns, no instance accepts them any more.
 * All methods throw NotConfirmedError; repeating the call is safe.
 */
export class SessionWriter {
  private readonly keys: UserSlotKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly limits: SessionLimits,
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /**
   * Starts a session. If the user has the maximum number of sessions, it evicts the least recently used one.
   *
   */
  async start(session: NewSession, deadline: Deadline): Promise<StartOutcome> {
    const { script, keys, args } = this.startOf(session, false);
    const result = await this.redis.runDurably(script, keys, args, deadline);
    if (result.outcome !== 'full') {
      return result;
    }
    // Evicting a session revokes its tokens, so the eviction is announced.
    const evicting = this.startOf(session, true);
    const subject = userSubject(session.userId);
    return (await this.cache.changeInSlot(subject, evicting, deadline)) as StartOutcome;
  }

  /** Adds a refresh token to a session whose user has authenticated again. */
  async raise(session: RaisedSession, deadline: Deadline): Promise<RaiseOutcome> {
    const { keys } = this;
    const { id, userId, passwordVersion = '', factorsVersion = '', authentication } = session;
    return this.redis.runDurably(
      scripts.raise,
      [keys.record(userId), keys.sessions(userId), keys.factors(userId)],
      [
        id,
        passwordVersion,
        factorsVersion,
        authentication.time,
        JSON.stringify(authentication.methods),
        tokenDigest(session.accessToken.reveal()),
        sha256(session.refreshToken.reveal()),
        this.limits.idleTtlSeconds * 1000,
        MAX_VERIFIED_TOKENS,
        MAX_OTHER_TOKENS,
        this.limits.refreshGraceSeconds * 1000,
      ],
      deadline,
    );
  }

  /** Ends a session. @returns whether the session was live */
  async end(userId: string, sessionId: string, deadline: Deadline): Promise<boolean> {
    const keys = [
      this.keys.record(userId),
      this.keys.sessions(userId),
      this.keys.fence(userId),
      this.keys.uses(userId),
    ];
    const idleMs = this.limits.idleTtlSeconds * 1000;
    return this.cache.changeInSlot(
      userSubject(userId),
      { script: scripts.end, keys, args: [sessionId, CHANGE_NUMBER, idleMs] },
      deadline,
    );
  }

  /**
   * Revokes one access token of a session that stays live (RFC 7009).
   *
   * @param expiresAt when the token would have expired
   * @returns whether there is such a session that has not ended
   */
  async revokeToken(
    userId: string,
    sessionId: string,
    tokenId: string,
    expiresAt: Date,
    deadline: Deadline,
  ): Promise<boolean> {
    const keys = [this.keys.sessions(userId), this.keys.fence(userId)];
    const args = [sessionId, tokenId, expiresAt.getTime()];
    return this.cache.changeInSlot(
      userSubject(userId),
      { script: scripts.revokeToken, keys, args },
      deadline,
    );
  }

  /**
   * Exchanges a refresh token for its successor. Of all exchanges of one token, exactly one succeeds. During the grace
   * period of the token, the other exchanges return the answers that lead to the newest tokens of the session. If a call was
   * not confirmed, repeating it during the grace period returns the same answer.
   */
  async exchange(exchange: RefreshExchange, deadline: Deadline): Promise<RefreshOutcome> {
    const { userId, sessionId } = exchange;
    const { refreshGraceSeconds, idleTtlSeconds, isRefreshLimited } = this.limits;
    const accessTtlMs = exchange.accessTtlSeconds * 1000;
    const result = await this.redis.runDurably(
      scripts.rotate,
      [
        this.keys.record(userId),
        this.keys.sessions(userId),
        this.keys.refreshAnswers(userId, sessionId),
        this.keys.fence(userId),
        this.keys.uses(userId),
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
      // The call that ended the session may have failed before all holders acknowledged it.
      await this.cache.settle(userSubject(userId), deadline);
    }
    return result;
  }

  private startOf(session: NewSession, mayEvict: boolean): SlotCall<StartReply> {
    const { userId, id } = session;
    const { idleTtlSeconds, maxAgeSeconds, maxPerUser } = this.limits;
    return {
      script: scripts.start,
      keys: [
        this.keys.record(userId),
        this.keys.sessions(userId),
        this.keys.uses(userId),
        this.keys.factors(userId),
      ],
      args: [
        id,
        session.passwordVersion,
        idleTtlSeconds * 1000,
        maxAgeSeconds * 1000,
        tokenDigest(session.accessToken.reveal()),
        maxPerUser,
        mayEvict ? 1 : 0,
        ENDED_MARK_TTL_MS,
        MAX_ENDED_MARKS,
        truncated(session.ip, MAX_IP_LENGTH),
        truncated(session.userAgent, MAX_USER_AGENT_LENGTH),
        sha256(session.refreshToken.reveal()),
        session.authentication.time,
        storedMethods(session.authentication),
        session.factorsVersion ?? '',
      ],
    };
  }
}

function parseStart(reply: unknown): StartReply {
  const [outcome, types = '[]'] = reply as [
    'started' | 'refused' | 'full' | 'second-factor',
    string?,
  ];
  return outcome === 'second-factor'
    ? { outcome: 'second-factor-required', factors: JSON.parse(types) as string[] }
    : { outcome };
}

function parseRaise(reply: unknown): RaiseOutcome {
  const [outcome, types = '[]'] = reply as ['raised' | 'refused' | 'second-factor', string?];
  return outcome === 'second-factor'
    ? { outcome: 'second-factor-required', factors: JSON.parse(types) as string[] }
    : { outcome };
}

/** Most sessions begin with a password alone, so it takes no memory. */
function storedMethods({ methods }: Authentication): string {
  return methods.length === 1 && methods[0] === 'pwd' ? '' : JSON.stringify(methods);
}

function parseRefresh(reply: unknown): RefreshOutcome {
  const [outcome, ...details] = reply as [RefreshOutcome['outcome'], ...(string | number)[]];
  switch (outcome) {
    case 'replayed':
      return { outcome, sealedAnswers: details.map(String) };
    case 'limited':
      return { outcome, retryAfterSeconds: Math.ceil(Number(details[0]) / 1000) };
    case 'rotated':
    case 'reused':
    case 'ended':
      return { outcome };
  }
}
