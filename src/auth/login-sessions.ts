import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { recordLogin } from '../credentials/index.js';
import { Clock } from '../common/clock/index.js';
import { SessionsService, type AuthenticationMethod } from '../sessions/index.js';
import type { UserRecord } from '../users/index.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

/** Starts the session of a user who has authenticated, and records the login. This is the last step of every kind of login. */
@Injectable()
export class LoginSessions {
  constructor(
    private readonly tokens: SessionTokens,
    private readonly sessions: SessionsService,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * @param user the user as read when the credentials were verified
   * @param methods how the user has authenticated
   * @returns undefined when the user was deleted or disabled, or got another password, in the meantime
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async start(
    user: UserRecord,
    methods: readonly AuthenticationMethod[],
    origin: Origin,
    deadline: Deadline,
  ): Promise<IssuedTokens | undefined> {
    const authentication = { time: this.clock.nowSeconds(), methods };
    const tokens = await this.tokens.issue(user, { id: randomUUID(), authentication }, deadline);
    const { sessionId, accessToken, refreshToken } = tokens;
    const session = {
      id: sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      authentication,
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
