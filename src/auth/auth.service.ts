import { Injectable } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';

import { Secret } from '../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import { UsersService, type UserRecord } from '../users/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { networkOf } from './network-address.js';

const REFRESH_SECRET_BYTES = 32;
/**
 * One password tried on many accounts (OWASP ASVS 6.3.1). Higher than the limit for an account, because many people may
 * share an address.
 */
const FAILURES_PER_ADDRESS: FailureLimit = {
  name: 'login-address',
  failures: 100,
  windowMs: 15 * 60 * 1000,
};

export interface LoginRequest {
  readonly username: string;
  readonly password: Secret;
  readonly ip: string;
  readonly userAgent: string;
}

export interface IssuedTokens {
  readonly accessToken: Secret;
  readonly expiresInSeconds: number;
  readonly refreshToken: Secret;
  readonly sessionId: string;
}

export type LoginOutcome =
  | { readonly outcome: 'logged-in'; readonly tokens: IssuedTokens }
  | { readonly outcome: 'wrong-credentials' }
  | TooManyAttempts;

/** Login and logout. Users, sessions and keys are kept by their own modules. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokenIssuer,
    private readonly limiter: RateLimiter,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError */
  async login(request: LoginRequest): Promise<LoginOutcome> {
    const subject = networkOf(request.ip);
    return this.limiter.attempt<LoginOutcome>(FAILURES_PER_ADDRESS, subject, async () => {
      const value = await this.checkAndStart(request);
      // A success does not clear the address: an attacker's own account must not.
      return { value, result: value.outcome === 'wrong-credentials' ? 'failed' : 'void' };
    });
  }

  async logout(userId: string, sessionId: string): Promise<void> {
    await this.sessions.end(userId, sessionId);
  }

  private async checkAndStart(request: LoginRequest): Promise<LoginOutcome> {
    const check = await this.users.checkCredentials(request.username, request.password);
    switch (check.outcome) {
      case 'right': {
        const tokens = await this.startSession(check.user, request);
        return tokens ? { outcome: 'logged-in', tokens } : { outcome: 'wrong-credentials' };
      }
      case 'wrong':
        return { outcome: 'wrong-credentials' };
      case 'too-many-attempts':
        return check;
    }
  }

  /** @returns undefined when the user was deleted or got another password a moment ago */
  private async startSession(
    user: UserRecord,
    request: LoginRequest,
  ): Promise<IssuedTokens | undefined> {
    const tokens = await this.issueTokens(user);
    const hasStarted = await this.sessions.start({
      id: tokens.sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      accessToken: tokens.accessToken,
      accessTtlSeconds: tokens.expiresInSeconds,
      refreshToken: tokens.refreshToken,
      ip: request.ip,
      userAgent: request.userAgent,
    });
    return hasStarted ? tokens : undefined;
  }

  private async issueTokens(user: {
    readonly id: string;
    readonly roles: readonly string[];
  }): Promise<IssuedTokens> {
    const sessionId = randomUUID();
    const secret = randomBytes(REFRESH_SECRET_BYTES).toString('base64url');
    return {
      accessToken: await this.accessTokens.issue(user, sessionId),
      expiresInSeconds: this.accessTokens.ttlSeconds,
      // The ids in front lead to the session's slot; the secret behind them is what counts.
      refreshToken: new Secret(`${user.id}.${sessionId}.${secret}`),
      sessionId,
    };
  }
}
