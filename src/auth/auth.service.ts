import { Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import {
  DeviceCookies,
  PasswordLogins,
  proofGeneration,
  type LoginRequest,
} from '../credentials/index.js';
import type { TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import { AccountNotices } from '../users/index.js';
import { LoginSessions } from './login-sessions.js';
import type { IssuedTokens } from './session-tokens.js';

export type LoginOutcome =
  | {
      readonly outcome: 'logged-in';
      readonly tokens: IssuedTokens;
      /** The value of the `Set-Cookie` header that makes the device a known device. */
      readonly deviceCookie: string;
    }
  | { readonly outcome: 'wrong-credentials' }
  | TooManyAttempts;

/** Login and logout. It uses the services of credentials, sessions and keys, and stores nothing itself. */
@Injectable()
export class AuthService {
  constructor(
    private readonly logins: PasswordLogins,
    private readonly loginSessions: LoginSessions,
    private readonly devices: DeviceCookies,
    private readonly notices: AccountNotices,
    private readonly sessions: SessionsService,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError */
  async login(request: LoginRequest, origin: Origin, deadline: Deadline): Promise<LoginOutcome> {
    const attempt = await this.logins.attempt(request, origin, deadline, async (user) => {
      const tokens = await this.loginSessions.start(user, origin, deadline);
      const device = this.devices.recognize(request.cookies, request.username);
      if (tokens && device?.generation !== proofGeneration(user)) {
        await this.notices.loggedInOnNewDevice(user, tokens.sessionId, origin, deadline);
      }
      return tokens && { tokens, deviceCookie: this.devices.issue(user) };
    });
    return attempt.outcome === 'logged-in'
      ? { outcome: attempt.outcome, ...attempt.login }
      : attempt;
  }

  async logout(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.sessions.end(userId, sessionId, origin, deadline);
  }
}
