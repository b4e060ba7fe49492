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

/** How the user of a new session has authenticated. */
export interface Proved {
  readonly methods: readonly AuthenticationMethod[];
  /** The version of the factors for which a proof was checked. Undefined: none was checked. */
  readonly factorsVersion?: string;
}

export type LoginStart =
  | { readonly outcome: 'started'; readonly tokens: IssuedTokens }
  /** The user was deleted or disabled, or got another password or other factors, since the check. */
  | { readonly outcome: 'refused' }
  /** The types of the user's second factors, of which none was checked. */
  | { readonly outcome: 'second-factor-required'; readonly factors: readonly string[] };

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
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async start(
    user: UserRecord,
    { methods, factorsVersion }: Proved,
    origin: Origin,
    deadline: Deadline,
  ): Promise<LoginStart> {
    const authentication = { time: this.clock.nowSeconds(), methods };
    const tokens = await this.tokens.issue(user, { id: randomUUID(), authentication }, deadline);
    const { sessionId, accessToken, refreshToken } = tokens;
    const session = {
      id: sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      authentication,
      factorsVersion,
      accessToken,
      refreshToken,
      ip: origin.facts.ip ?? '',
      userAgent: origin.userAgent,
    };
    const start = await this.sessions.start(session, deadline);
    if (start.outcome !== 'started') {
      return start;
    }
    recordLogin(this.audit, { userId: user.id, sessionId }, origin);
    return { outcome: 'started', tokens };
  }
}
