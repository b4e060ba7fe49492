import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { networkOf } from '../common/network/index.js';
import { seal, Secret, unseal } from '../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import { Credentials, UsersService, type UserRecord } from '../users/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { RefreshTokens, type RecognizedToken } from './refresh-tokens.js';

const ANSWER_PURPOSE = 'keyslot refresh answer';
/**
 * One password tried on many accounts (OWASP ASVS 6.3.1). Higher than the limit for an account, because many people may
 * share an address.
 */
const FAILURES_PER_ADDRESS: FailureLimit = {
  name: 'login-address',
  failures: 100,
  windowMs: 15 * 60 * 1000,
};

/** Refresh tokens cannot be guessed; whoever tries all the same is told to stop. */
const FORGERIES_PER_ADDRESS: FailureLimit = { ...FAILURES_PER_ADDRESS, name: 'refresh-address' };

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

export type RefreshResult =
  | { readonly outcome: 'refreshed'; readonly tokens: IssuedTokens }
  | { readonly outcome: 'refused' }
  | TooManyAttempts;

/** What a refresh answers, as it is kept for those who lost the answer. */
interface KeptAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Login, refresh and logout. Users, sessions and keys are kept by their own modules. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly credentials: Credentials,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokenIssuer,
    private readonly refreshTokens: RefreshTokens,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError */
  async login(request: LoginRequest, deadline: Deadline): Promise<LoginOutcome> {
    const subject = networkOf(request.ip);
    return this.limiter.attempt<LoginOutcome>(FAILURES_PER_ADDRESS, subject, deadline, async () => {
      const value = await this.checkAndStart(request, deadline);
      if (value.outcome === 'wrong-credentials') {
        this.audit.record({ type: 'login-refused', ip: request.ip });
      }
      // A success does not clear the address: an attacker's own account must not.
      return { value, result: value.outcome === 'wrong-credentials' ? 'failed' : 'void' };
    });
  }

  /**
   * Exchanges a refresh token for new tokens of the same session. A token that was exchanged a moment ago yields the same
   * answer again; one that was spent longer ago ends its session.
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating it is safe
   */
  async refresh(refreshToken: string, ip: string, deadline: Deadline): Promise<RefreshResult> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (recognized) {
      return this.exchange(recognized, ip, deadline);
    }
    // Only what is made up is counted: whoever holds a token of ours must not be kept from it by a neighbour.
    const subject = networkOf(ip);
    return this.limiter.attempt<RefreshResult>(FORGERIES_PER_ADDRESS, subject, deadline, () =>
      Promise.resolve({ value: { outcome: 'refused' }, result: 'failed' }),
    );
  }

  async logout(userId: string, sessionId: string, deadline: Deadline): Promise<void> {
    await this.sessions.end(userId, sessionId, deadline);
    this.audit.record({ type: 'logged-out', userId, sessionId });
  }

  private async exchange(
    { userId, sessionId, token }: RecognizedToken,
    ip: string,
    deadline: Deadline,
  ): Promise<RefreshResult> {
    const user = await this.users.findCurrent(userId, deadline);
    const subject = { id: userId, roles: user?.roles ?? [] };
    const tokens = await this.issueTokens(subject, sessionId, deadline);
    const answer: KeptAnswer = {
      accessToken: tokens.accessToken.reveal(),
      refreshToken: tokens.refreshToken.reveal(),
      expiresAt: this.clock.now() + tokens.expiresInSeconds * 1000,
    };
    const exchange = {
      userId,
      sessionId,
      presented: token,
      successor: tokens.refreshToken,
      accessToken: tokens.accessToken,
      accessTtlSeconds: tokens.expiresInSeconds,
      // Who can present the spent token may have its answer; a copy of Redis' data alone yields nothing.
      sealedAnswer: await seal(JSON.stringify(answer), token, ANSWER_PURPOSE),
    };
    const result = await this.sessions.exchange(exchange, deadline);
    switch (result.outcome) {
      case 'rotated':
        return { outcome: 'refreshed', tokens };
      case 'replayed': {
        const kept = await unseal(result.sealedAnswer, token, ANSWER_PURPOSE);
        const replayed = this.tokensFrom(JSON.parse(kept) as KeptAnswer, sessionId);
        return { outcome: 'refreshed', tokens: replayed };
      }
      case 'reused':
        this.audit.record({ type: 'refresh-token-reused', userId, sessionId, ip });
        await this.sessions.end(userId, sessionId, deadline);
        return { outcome: 'refused' };
      case 'ended':
        return { outcome: 'refused' };
      case 'limited':
        return { outcome: 'too-many-attempts', retryAfterSeconds: result.retryAfterSeconds };
    }
  }

  private tokensFrom(answer: KeptAnswer, sessionId: string): IssuedTokens {
    return {
      accessToken: new Secret(answer.accessToken),
      expiresInSeconds: Math.floor((answer.expiresAt - this.clock.now()) / 1000),
      refreshToken: new Secret(answer.refreshToken),
      sessionId,
    };
  }

  private async checkAndStart(request: LoginRequest, deadline: Deadline): Promise<LoginOutcome> {
    const { username, password } = request;
    const check = await this.credentials.check(username, deadline, password);
    switch (check.outcome) {
      case 'right': {
        const tokens = await this.startSession(check.user, request, deadline);
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
    deadline: Deadline,
  ): Promise<IssuedTokens | undefined> {
    const tokens = await this.issueTokens(user, randomUUID(), deadline);
    const session = {
      id: tokens.sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      ip: request.ip,
      userAgent: request.userAgent,
    };
    const hasStarted = await this.sessions.start(session, deadline);
    if (!hasStarted) {
      return undefined;
    }
    const { id: userId } = user;
    this.audit.record({ type: 'logged-in', userId, sessionId: tokens.sessionId, ip: request.ip });
    return tokens;
  }

  private async issueTokens(
    user: { readonly id: string; readonly roles: readonly string[] },
    sessionId: string,
    deadline: Deadline,
  ): Promise<IssuedTokens> {
    return {
      accessToken: await this.accessTokens.issue(user, sessionId, deadline),
      expiresInSeconds: this.accessTokens.ttlSeconds,
      refreshToken: this.refreshTokens.issue(user.id, sessionId),
      sessionId,
    };
  }
}
