import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { NearCache, SlotCall, SlotRead } from '../../near-cache/index.js';
import {
  NotConfirmedError,
  RedisUnavailableError,
  type RedisCluster,
} from '../../redis-cluster/index.js';
import type {
  PresentedToken,
  Session,
  SessionCheck,
  SessionKey,
  SessionState,
} from '../session.js';
import type { SessionLimits } from '../session-limits.js';
import { slotScript } from '../slot-script.js';
import type { StoredSession, StoredUser } from '../stored-format.js';
import { MAX_VERIFIED_TOKENS, tokenDigest } from '../token-digests.js';
import { userFromFields } from '../user-record.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';

/** The fields of a user that a request may need. */
const USER_FIELDS: readonly (keyof StoredUser)[] = [
  'id',
  'username',
  'email',
  'verifiedEmail',
  'displayName',
  'roles',
  'createdAt',
  'updatedAt',
  'secondFactor',
];
/** How many times the use of a session is stored within its idle lifetime. */
const USE_WRITES_PER_IDLE_TTL = 10;
/** Shared by all sessions. An empty set of its own would be a tenth of the memory of a session in the near cache. */
const NO_TOKENS: ReadonlySet<string> = new Set();

const scripts = {
  use: slotScript('use-session', parseSessionState),
  check: slotScript('check-session', parseCheck),
  checkRefreshToken: slotScript('check-refresh-token', Number),
  list: slotScript('list-sessions', parseSessions),
};

/**
 * Reads whether sessions are live, from the near cache or from Redis. Each session stores the digests of its last verified
 * access tokens, so that one round trip returns both whether a token was verified and whether its session is live.
 */
export class SessionReader {
  private readonly keys: UserSlotKeys;

  /**
   * @param options `mayWriteSessions`: whether this process may write sessions. Default true. A service may not: it notes uses in a
   * key of their own, and its verified tokens are not remembered. Otherwise it could make other instances accept a forged token
   */
  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly options: Pick<SessionLimits, 'idleTtlSeconds'> & {
      readonly mayWriteSessions?: boolean;
    },
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  private get idleMs(): number {
    return this.options.idleTtlSeconds * 1000;
  }

  /** @returns the state of a session from memory, if memory has it and may be trusted. It never asks Redis */
  recall(key: SessionKey): SessionState | undefined {
    return this.cache.peek(key);
  }

  /**
   * Returns the state of a session, from memory or from Redis.
   *
   * @param ask loads the state from Redis and notes the use of the session; see `use`
   * @param isVerified whether the caller has verified the signature of the token
   * @throws RedisUnavailableError
   */
  async stateOf(
    key: SessionKey,
    isVerified: boolean,
    ask: (read: SlotRead) => Promise<SessionState>,
  ): Promise<SessionState> {
    return this.cache.getFromSlot(key, ask, {
      // Other callers must not share the result of a token that may be forged.
      isShared: isVerified,
      maxAgeMs: (decision) => {
        switch (decision.state) {
          case 'live':
            return Math.min(decision.maxAgeMs, this.idleMs / USE_WRITES_PER_IDLE_TTL);
          case 'ended':
            return Infinity;
          case 'unverified':
            return 0;
        }
      },
    });
  }

  /**
   * Reads the session of a token from Redis, and records its use.
   *
   * @param isVerified whether the caller has verified the signature of the token. The session then remembers the token
   * @param read from `stateOf`. Default: nothing is kept in memory
   * @throws RedisUnavailableError
   */
  async use(
    token: PresentedToken,
    isVerified: boolean,
    deadline: Deadline,
    read: SlotRead = this.cache.readFromSlot,
  ): Promise<SessionState> {
    const { userId, sessionId } = token;
    try {
      const decision = await read(
        {
          script: scripts.use,
          keys: this.keysOf(userId),
          args: [
            sessionId,
            isVerified ? 1 : 0,
            tokenDigest(token.token),
            MAX_VERIFIED_TOKENS,
            this.idleMs,
            this.options.mayWriteSessions === false ? 0 : 1,
            ...USER_FIELDS,
          ],
        },
        deadline,
      );
      if (decision.state === 'ended') {
        // The call that ended the session may have failed before all holders acknowledged it.
        await this.settle(userId, deadline);
      }
      return decision;
    } catch (error) {
      // For the caller this is a look-up, so a write that is not confirmed is a look-up that failed.
      throw error instanceof NotConfirmedError
        ? new RedisUnavailableError('the session could not be asked for', { cause: error })
        : error;
    }
  }

  /**
   * Reads from Redis whether a session is live, without recording a use.
   *
   * @throws NotConfirmedError
   */
  async check(userId: string, sessionId: string, deadline: Deadline): Promise<SessionCheck> {
    const { script, keys, args } = this.checkOf(userId, sessionId);
    return this.redis.runDurably(script, keys, args, deadline);
  }

  /**
   * Reads from Redis whether a refresh token is the current one of a live session. It does not spend the token.
   *
   * @param token a refresh token that Keyslot issued
   * @returns time until the session expires if it is not used, in milliseconds; 0 when the token is spent or the session has
   * ended
   * @throws RedisUnavailableError
   */
  async checkRefreshToken(
    userId: string,
    sessionId: string,
    token: Secret,
    deadline: Deadline,
  ): Promise<number> {
    const { keys, args } = this.checkOf(userId, sessionId);
    const all = [...args, sha256(token.reveal())];
    return this.redis.readConfirmed(scripts.checkRefreshToken, keys, all, deadline);
  }

  /**
   * Does the same as `check`, and registers this instance as a holder: the next change then calls the listeners of the user
   * (`onDrop`).
   *
   * @throws RedisUnavailableError
   */
  async checkAndWatch(
    userId: string,
    sessionId: string,
    deadline: Deadline,
  ): Promise<SessionCheck> {
    const call = this.checkOf(userId, sessionId);
    return this.cache.readAsHolder(userSubject(userId), call, deadline);
  }

  /** Lists the live sessions of a user, the most recently used first. @throws RedisUnavailableError */
  async list(userId: string, deadline: Deadline): Promise<Session[]> {
    const keys = [this.keys.record(userId), this.keys.sessions(userId), this.keys.uses(userId)];
    return this.redis.run(scripts.list, keys, [this.idleMs], deadline);
  }

  /**
   * Announces unfinished changes of a user. Call it before you report that a session has ended; see `NearCache.settle`.
   *
   * @throws NotConfirmedError
   */
  async settle(userId: string, deadline: Deadline): Promise<void> {
    await this.cache.settle(userSubject(userId), deadline);
  }

  private checkOf(userId: string, sessionId: string): SlotCall<SessionCheck> {
    return {
      script: scripts.check,
      keys: this.keysOf(userId),
      args: [sessionId, this.idleMs],
    };
  }

  private keysOf(userId: string): string[] {
    const { keys } = this;
    return [keys.record(userId), keys.sessions(userId), keys.fence(userId), keys.uses(userId)];
  }
}

/** @param reply of `use-session.lua` */
export function parseSessionState(reply: unknown): SessionState {
  const [state, leftMs, revoked = '{}', ...values] = reply as [string, number?, ...string[]];
  if (state !== 'live') {
    return { state: state === 'unverified' ? 'unverified' : 'ended' };
  }
  const fields = new Map<string, string>(
    USER_FIELDS.map((name, index) => [name, values[index] ?? '']),
  );
  return {
    state,
    user: userFromFields(fields),
    revokedTokens: tokensIn(revoked),
    maxAgeMs: leftMs ?? 0,
  };
}

function parseCheck(reply: unknown): SessionCheck {
  const [state, endsInMs = 0, revoked = '{}'] = reply as [string, number?, string?];
  return state === 'live'
    ? { state, endsInMs, revokedTokens: tokensIn(revoked) }
    : { state: 'ended' };
}

function tokensIn(revoked: string): ReadonlySet<string> {
  return revoked === '{}' ? NO_TOKENS : new Set(Object.keys(JSON.parse(revoked) as object));
}

function parseSessions(reply: unknown): Session[] {
  const list = reply as string[];
  const sessions: Session[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const stored = JSON.parse(list[index + 1]!) as StoredSession;
    sessions.push({
      id: list[index]!,
      createdAt: new Date(stored.createdAt),
      lastUsedAt: new Date(stored.lastUsedAt),
      ip: stored.ip,
      userAgent: stored.userAgent,
    });
  }
  return sessions.sort((one, other) => other.lastUsedAt.getTime() - one.lastUsedAt.getTime());
}
