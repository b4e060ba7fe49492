import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  SessionReader,
  UserReader,
  type Authentication,
  type NewSession,
  type RaisedSession,
  type RefreshExchange,
  type RefreshOutcome,
  type Session,
} from '../user-slot/read/index.js';
import { SessionWriter, type RaiseOutcome, type StartOutcome } from '../user-slot/write/index.js';
import { UsersService } from '../users/index.js';

/** An access token of a session. */
export interface RevokedToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  /** When it would have expired. */
  readonly expiresAt: Date;
}

/**
 * Sessions of users, with their audit events. When a method that revokes tokens returns, no instance accepts them any more.
 * user-slot/scripts/includes/end-sessions.lua lists everything that ends a session.
 *
 * All methods throw RedisUnavailableError; those that write, NotConfirmedError: repeating the call is safe.
 */
@Injectable()
export class SessionsService {
  constructor(
    private readonly reader: SessionReader,
    private readonly writer: SessionWriter,
    private readonly users: UsersService,
    private readonly userReader: UserReader,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Starts a session. If the user has the maximum number of sessions, it evicts the least recently used one.
   */
  async start(session: NewSession, deadline: Deadline): Promise<StartOutcome> {
    return this.writer.start(session, deadline);
  }

  /** Notes that the user of a session has authenticated again. */
  async raise(session: RaisedSession, deadline: Deadline): Promise<RaiseOutcome> {
    return this.writer.raise(session, deadline);
  }

  /**
   * Lists the live sessions of a user for an administrator, and records the access in the audit log.
   *
   * @returns undefined when there is no such user
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

  /** Lists the live sessions of the caller, the most recently used first. */
  async list(userId: string, deadline: Deadline): Promise<Session[]> {
    return this.reader.list(userId, deadline);
  }

  /**
   * Ends a session like `end`, for callers that may repeat the call. If the session has already ended, it costs only a look-up.
   */
  async endIfLive(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const { state } = await this.reader.check(userId, sessionId, deadline);
    if (state === 'live') {
      await this.end(userId, sessionId, origin, deadline);
    } else {
      // The call that ended the session may have failed before all holders acknowledged it.
      await this.reader.settle(userId, deadline);
    }
  }

  /** Ends a session on every instance. @returns whether the session was live */
  async end(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<boolean> {
    const type = origin.facts.actorSessionId === sessionId ? 'logged-out' : 'session-ended';
    return this.audit.recordChange(
      [{ type, userId, sessionId, ...origin.facts }],
      async () => this.writer.end(userId, sessionId, deadline),
      Boolean,
    );
  }

  /**
   * Ends all sessions of a user on every instance.
   *
   * @param exceptSessionId a session that stays live
   * @returns whether there is such a user
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
   * Revokes one access token of a session that stays live, on every instance (RFC 7009).
   */
  async revokeToken(
    { userId, sessionId, tokenId, expiresAt }: RevokedToken,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const details = { tokenId };
    await this.audit.recordChange(
      [{ type: 'token-revoked', userId, sessionId, ...origin.facts, details }],
      async () => this.writer.revokeToken(userId, sessionId, tokenId, expiresAt, deadline),
      Boolean,
    );
  }

  /** @returns when and how the user authenticated from whom a refresh token comes; undefined when its session has no such token */
  async authenticationOf(
    userId: string,
    sessionId: string,
    refreshToken: Secret,
    deadline: Deadline,
  ): Promise<Authentication | undefined> {
    return this.userReader.authenticationOf(userId, sessionId, refreshToken, deadline);
  }

  /**
   * Checks a refresh token without spending it.
   *
   * @param token a refresh token that Keyslot issued
   * @returns time until it expires if it is not used, in milliseconds; 0 when it is not the current one of a live session
   */
  async refreshTokenLife(
    userId: string,
    sessionId: string,
    token: Secret,
    deadline: Deadline,
  ): Promise<number> {
    return this.reader.checkRefreshToken(userId, sessionId, token, deadline);
  }

  /**
   * Exchanges a refresh token for its successor. Of all exchanges of one token, exactly one succeeds. During the grace period
   * of the token, the others get the answers that lead to the newest tokens of the session. Repeating a call that was not
   * confirmed returns the same answer during the grace period.
   */
  async exchange(exchange: RefreshExchange, deadline: Deadline): Promise<RefreshOutcome> {
    return this.writer.exchange(exchange, deadline);
  }
}
