import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';
import {
  LuaScript,
  NotConfirmedError,
  RedisCluster,
  RedisUnavailableError,
} from '../redis-cluster/index.js';
import { userFromFields, userTag, type User } from '../users/index.js';
import { SESSIONS_OPTIONS } from './sessions.module-definition.js';
import { SESSIONS_DEFAULTS, type SessionsOptions } from './sessions.options.js';

/** Longer than any write can be late. */
const ENDED_MARK_MS = 3_600_000;
const USER_AGENT_MAX_LENGTH = 256;
const USER_FIELDS = ['id', 'username', 'email', 'displayName', 'roles', 'createdAt', 'updatedAt'];

const startSession = load('start-session', (reply) => reply === 1);
const endSession = load('end-session', Number);
const useSession = load('use-session', (reply) => reply as string[]);

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly passwordVersion: number;
  readonly accessToken: Secret;
  readonly accessTtlSeconds: number;
  readonly refreshToken: Secret;
  readonly ip: string;
  readonly userAgent: string;
}

/** An access token whose form and claims were checked. */
export interface PresentedToken {
  readonly token: string;
  readonly userId: string;
  readonly sessionId: string;
}

export type SessionState =
  | { readonly state: 'live'; readonly user: User }
  | { readonly state: 'ended' }
  /** Nobody has verified this token's signature yet. */
  | { readonly state: 'unverified' };

/**
 * Sessions in Redis, each in the slot of its user. Beside a session stand marks of its verified access tokens, so that
 * one round trip tells both whether a token was verified and whether its session lives.
 */
@Injectable()
export class SessionsService {
  private readonly idleMs: number;
  private readonly maxAgeMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(SESSIONS_OPTIONS) options: SessionsOptions,
  ) {
    const { idleTtlSeconds, maxAgeSeconds } = { ...SESSIONS_DEFAULTS, ...options };
    this.idleMs = idleTtlSeconds * 1000;
    this.maxAgeMs = maxAgeSeconds * 1000;
  }

  /**
   * @returns false when the user was deleted, disabled or given another password since it was verified
   * @throws NotConfirmedError
   */
  async start(session: NewSession): Promise<boolean> {
    const { userId, id } = session;
    const token = session.accessToken.reveal();
    return this.redis.runDurably(
      startSession,
      [this.userKey(userId), this.sessionKey(userId, id), this.markKey(userId, token)],
      [
        session.passwordVersion,
        this.idleMs,
        this.maxAgeMs,
        session.accessTtlSeconds * 1000,
        ...['ip', session.ip],
        ...['userAgent', session.userAgent.slice(0, USER_AGENT_MAX_LENGTH)],
        ...['refreshHash', sha256(session.refreshToken.reveal())],
      ],
    );
  }

  /**
   * Asks for the session of a token, and notes its use.
   *
   * @param isVerified whether the caller has verified the token's signature; the result is then kept for the next time
   * @param lifeMs how long the token is valid still
   * @throws RedisUnavailableError
   */
  async use(token: PresentedToken, isVerified: boolean, lifeMs: number): Promise<SessionState> {
    const { userId, sessionId } = token;
    const decision = this.redis.runDurably(
      useSession,
      [
        this.userKey(userId),
        this.sessionKey(userId, sessionId),
        this.markKey(userId, token.token),
        this.redis.keys.key(userTag(userId), 'fence'),
      ],
      [isVerified ? 1 : 0, Math.max(1, Math.ceil(lifeMs)), this.idleMs, ...USER_FIELDS],
    );
    const [state, ...values] = await decision.catch((error: unknown) => {
      // What it writes is only the proof of what it read: to the caller this is a look-up.
      throw error instanceof NotConfirmedError
        ? new RedisUnavailableError('the session could not be asked for', { cause: error })
        : error;
    });
    if (state !== 'live') {
      return { state: state === 'unverified' ? 'unverified' : 'ended' };
    }
    const fields = new Map(USER_FIELDS.map((name, index) => [name, values[index] ?? '']));
    return { state, user: userFromFields(fields) };
  }

  /** Ends a session for good. Ending one that is not there is no error. @throws NotConfirmedError */
  async end(userId: string, sessionId: string): Promise<void> {
    await this.redis.runDurably(endSession, [this.sessionKey(userId, sessionId)], [ENDED_MARK_MS]);
  }

  private userKey(userId: string): string {
    return this.redis.keys.key(userTag(userId), 'record');
  }

  private sessionKey(userId: string, sessionId: string): string {
    return this.redis.keys.key(userTag(userId), 'session', sessionId);
  }

  private markKey(userId: string, token: string): string {
    return this.redis.keys.key(userTag(userId), 'verified', sha256(token));
  }
}

function load<Reply>(name: string, parse: (reply: unknown) => Reply): LuaScript<Reply> {
  return LuaScript.fromFile(new URL(`./scripts/${name}.lua`, import.meta.url), parse);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
