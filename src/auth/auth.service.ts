import { Injectable } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';

import { Secret } from '../common/secret/index.js';
import { SessionsService } from '../sessions/index.js';
import { UsersService } from '../users/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { LoginBrake, type LoginAttempt } from './login-brake.js';

const REFRESH_SECRET_BYTES = 32;

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
  | { readonly outcome: 'too-many-attempts'; readonly retryAfterSeconds: number };

/** Login and logout. Users, sessions and keys are kept by their own modules. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokenIssuer,
    private readonly brake: LoginBrake,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError */
  async login(request: LoginRequest): Promise<LoginOutcome> {
    const attempt = await this.brake.begin(request.username, request.ip);
    if (!attempt.isAllowed) {
      return { outcome: 'too-many-attempts', retryAfterSeconds: attempt.retryAfterSeconds };
    }
    const tokens = await this.tryLogin(request, attempt);
    if (tokens === undefined) {
      await attempt.failed();
      return { outcome: 'wrong-credentials' };
    }
    await attempt.succeeded();
    return { outcome: 'logged-in', tokens };
  }

  async logout(userId: string, sessionId: string): Promise<void> {
    await this.sessions.end(userId, sessionId);
  }

  private async tryLogin(
    request: LoginRequest,
    attempt: LoginAttempt & { isAllowed: true },
  ): Promise<IssuedTokens | undefined> {
    try {
      const user = await this.users.findByCredentials(request.username, request.password);
      if (user === undefined) {
        return undefined;
      }
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
    } catch (error) {
      // If this fails too, the reservation runs out by itself.
      await attempt.abandoned().catch(() => undefined);
      throw error;
    }
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
