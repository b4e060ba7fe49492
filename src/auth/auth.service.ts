import { Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  DeviceCookies,
  PasskeyLogins,
  PasswordLogins,
  SecondSteps,
  proofGeneration,
  type LoginRequest,
  type SecondStepRequest,
} from '../credentials/index.js';
import type { TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import { AccountNotices, type UserRecord } from '../users/index.js';
import { LoginSessions, type Proved } from './login-sessions.js';
import type { IssuedTokens } from './session-tokens.js';

export interface LoggedIn {
  readonly outcome: 'logged-in';
  readonly tokens: IssuedTokens;
  /** The value of the `Set-Cookie` header that makes the device a known device. */
  readonly deviceCookie: string;
}

export interface SecondFactorRequired {
  readonly outcome: 'second-factor-required';
  readonly challenge: Secret;
  /** The types of the user's factors. */
  readonly factors: readonly string[];
}

export type LoginOutcome =
  LoggedIn | SecondFactorRequired | { readonly outcome: 'wrong-credentials' } | TooManyAttempts;

export type SecondStepOutcome =
  | LoggedIn
  /** `ended`: the challenge is unknown, used or old, or the account has changed. The login begins anew. */
  | { readonly outcome: 'wrong' | 'ended' }
  | TooManyAttempts;

interface WithCookies {
  /** The `Cookie` header, if there is one. It may contain a device cookie. */
  readonly cookies?: string | undefined;
}

export interface PasskeyLoginRequest extends WithCookies {
  readonly response: object;
}

export type PasskeyLoginOutcome = LoggedIn | { readonly outcome: 'wrong' } | TooManyAttempts;

/** Login and logout. It uses the services of credentials, sessions and keys, and stores nothing itself. */
@Injectable()
export class AuthService {
  constructor(
    private readonly logins: PasswordLogins,
    private readonly secondSteps: SecondSteps,
    private readonly passkeys: PasskeyLogins,
    private readonly loginSessions: LoginSessions,
    private readonly devices: DeviceCookies,
    private readonly notices: AccountNotices,
    private readonly sessions: SessionsService,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError */
  async login(request: LoginRequest, origin: Origin, deadline: Deadline): Promise<LoginOutcome> {
    const attempt = await this.logins.attempt(request, origin, deadline, async (user) =>
      this.start(user, { methods: ['pwd'] }, request, origin, deadline),
    );
    return attempt.outcome === 'logged-in' ? attempt.login : attempt;
  }

  /** The second step of a login. @throws as `login` */
  async finishLogin(
    request: SecondStepRequest,
    origin: Origin,
    deadline: Deadline,
  ): Promise<SecondStepOutcome> {
    const step = await this.secondSteps.check(request, origin, deadline);
    if (step.outcome !== 'right') {
      return step;
    }
    const { user, methods, factorsVersion } = step;
    const proved = { methods: ['pwd', ...methods, 'mfa'] as const, factorsVersion };
    const started = await this.start(user, proved, request, origin, deadline);
    return started?.outcome === 'logged-in' ? started : { outcome: 'ended' };
  }

  /** A login with a passkey alone. @throws RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError */
  async loginWithPasskey(
    request: PasskeyLoginRequest,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasskeyLoginOutcome> {
    const attempt = await this.passkeys.attempt(request.response, origin, deadline);
    if (attempt.outcome !== 'right') {
      return attempt;
    }
    const { user, methods, factorsVersion } = attempt;
    // The authenticator has verified the user, so the passkey is two factors.
    const proved = { methods: [...methods, 'mfa'] as const, factorsVersion };
    const started = await this.start(user, proved, request, origin, deadline);
    return started?.outcome === 'logged-in' ? started : { outcome: 'wrong' };
  }

  async logout(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.sessions.end(userId, sessionId, origin, deadline);
  }

  /** @returns undefined when the user has changed since the check */
  private async start(
    user: UserRecord,
    proved: Proved,
    { cookies }: WithCookies,
    origin: Origin,
    deadline: Deadline,
  ): Promise<LoggedIn | SecondFactorRequired | undefined> {
    const start = await this.loginSessions.start(user, proved, origin, deadline);
    switch (start.outcome) {
      case 'started': {
        const { tokens } = start;
        const device = this.devices.recognize(cookies, user.username);
        if (device?.generation !== proofGeneration(user)) {
          await this.notices.loggedInOnNewDevice(user, tokens.sessionId, origin, deadline);
        }
        return { outcome: 'logged-in', tokens, deviceCookie: this.devices.issue(user) };
      }
      case 'second-factor-required': {
        const challenge = await this.secondSteps.begin(user, origin, deadline);
        return { outcome: 'second-factor-required', challenge, factors: start.factors };
      }
      case 'refused':
        return undefined;
    }
  }
}
