import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import {
  SessionReader,
  type NewSession,
  type RefreshExchange,
  type RefreshOutcome,
  type Session,
} from '../user-slot/read/index.js';
import { SessionWriter } from '../user-slot/write/index.js';
import { UsersService } from '../users/index.js';

/**
 * Sessions of users, with their audit events. What takes tokens away holds on every instance when its method returns.
 *
 * All methods throw RedisUnavailableError; those that write, NotConfirmedError: repeating the call is safe.
 */
@Injectable()
export class SessionsService {
  constructor(
    private readonly reader: SessionReader,
    private readonly writer: SessionWriter,
    private readonly users: UsersService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Starts a session. A user who has as many as allowed loses those that were not used for longest.
   *
   * @returns false when the user was deleted, disabled or given another password since it was verified
   */
  async start(session: NewSession, deadline: Deadline): Promise<boolean> {
    return this.writer.start(session, deadline);
  }

  /**
   * The live sessions of a user for an administrator; the read is recorded.
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

  /** The live sessions of the own user, the one that was used last first. */
  async list(userId: string, deadline: Deadline): Promise<Session[]> {
    return this.reader.list(userId, deadline);
  }

  /**
   * Ends a session like `end`, for a caller who may repeat that for ever: when the session was over already, it costs a
   * look-up only.
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
      // The call that ended it may have failed before every instance had acknowledged.
      await this.reader.settle(userId, deadline);
    }
  }

  /** Ends a session for good, everywhere. @returns whether there was a live one */
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
   * Ends all sessions of a user, everywhere.
   *
   * @param exceptSessionId one that goes on
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
   * Revokes one access token of a session that goes on, everywhere (RFC 7009).
   *
   * @param expiresAt when the token would have expired
   */
  async revokeToken(
    userId: string,
    sessionId: string,
    tokenId: string,
    expiresAt: Date,
    deadline: Deadline,
  ): Promise<void> {
    await this.writer.revokeToken(userId, sessionId, tokenId, expiresAt, deadline);
  }

  /**
   * Exchanges a refresh token for its successor. Of any number of exchanges of one token one succeeds; the others are
   * led to the newest answer of the session for as long as the grace lasts, counted from the exchange of their token.
   * Within the grace, repeating a call that was not confirmed gives the same answer.
   */
  async exchange(exchange: RefreshExchange, deadline: Deadline): Promise<RefreshOutcome> {
    return this.writer.exchange(exchange, deadline);
  }
}
