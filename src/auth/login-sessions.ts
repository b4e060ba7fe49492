import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { recordLogin } from '../credentials/index.js';
import { SessionsService } from '../sessions/index.js';
import type { UserRecord } from '../users/index.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

/** Starts the session of a user who has authenticated, and records the login. This is the last step of every kind of login. */
@Injectable()
export class LoginSessions {
  constructor(
    private readonly tokens: SessionTokens,
    private readonly sessions: SessionsService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @param user the user as read when the credentials were verified
   * @returns undefined when the user was deleted or disabled, or got another password, in the meantime
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async start(
    user: UserRecord,
    origin: Origin,
    deadline: Deadline,
  ): Promise<IssuedTokens | undefined> {
    const tokens = await this.tokens.issue(user, randomUUID(), deadline);
    const { sessionId, accessToken, refreshToken } = tokens;
    const session = {
      id: sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      accessToken,
      refreshToken,
      ip: origin.facts.ip ?? '',
      userAgent: origin.userAgent,
    };
    const hasStarted = await this.sessions.start(session, deadline);
    if (!hasStarted) {
      return undefined;
    }
    recordLogin(this.audit, { userId: user.id, sessionId }, origin);
    return tokens;
  }
}
