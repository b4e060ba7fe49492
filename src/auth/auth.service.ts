import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import { seal, Secret, unseal } from '../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService } from '../sessions/index.js';
import {
  canonicalUsername,
  Credentials,
  recordThrottling,
  UsersService,
  type Caller,
  type UserRecord,
} from '../users/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { DeviceCookies } from './device-cookies.js';
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
  /** The `Cookie` header, if there is one: a device that is known has failures of its own. */
  readonly cookies?: string | undefined;
}

export interface IssuedTokens {
  readonly accessToken: Secret;
  readonly expiresInSeconds: number;
  readonly refreshToken: Secret;
  readonly sessionId: string;
}

export type LoginOutcome =
  | {
      readonly outcome: 'logged-in';
      readonly tokens: IssuedTokens;
      /** A `Set-Cookie` header, by which the device is known from now on. */
      readonly deviceCookie: string;
    }
  | { readonly outcome: 'wrong-credentials' }
  | TooManyAttempts;

export type RefreshResult =
  | { readonly outcome: 'refreshed'; readonly tokens: IssuedTokens }
  | { readonly outcome: 'refused' }
  | TooManyAttempts;

export type TokenLogoutResult =
  { readonly outcome: 'logged-out' } | { readonly outcome: 'refused' } | TooManyAttempts;

interface LoginContext {
  readonly caller: Caller;
  /** Stands for the name in audit events. */
  readonly namePseudonym: string;
  readonly origin: Origin;
}

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
    private readonly devices: DeviceCookies,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError */
  async login(request: LoginRequest, origin: Origin, deadline: Deadline): Promise<LoginOutcome> {
    const network = networkOf(origin.facts.ip ?? '');
    const namePseudonym = this.audit.pseudonymOf(canonicalUsername(request.username));
    const attempt = { attempt: 'login', namePseudonym } as const;
    const device = this.devices.recognize(request.cookies, request.username);
    return recordThrottling<LoginOutcome>(this.audit, attempt, origin, async () => {
      if (device !== undefined) {
        // Failures of others at the same address do not count for it. Its own are counted for the account.
        const caller: Caller = { network, proof: { kind: 'device', id: device } };
        return this.checkAndStart(request, { caller, namePseudonym, origin }, deadline);
      }
      return this.limiter.attempt<LoginOutcome>(
        FAILURES_PER_ADDRESS,
        network,
        deadline,
        async () => {
          const caller: Caller = { network };
          const value = await this.checkAndStart(
            request,
            { caller, namePseudonym, origin },
            deadline,
          );
          // A success does not clear the address: an attacker's own account must not.
          return { value, result: value.outcome === 'wrong-credentials' ? 'failed' : 'void' };
        },
      );
    });
  }

  /**
   * Exchanges a refresh token for new tokens of the same session. A token that was exchanged within the grace yields the
   * newest answer of the session; one that was spent longer ago ends its session.
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating it is safe
   */
  async refresh(refreshToken: string, origin: Origin, deadline: Deadline): Promise<RefreshResult> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (recognized) {
      const { userId, sessionId } = recognized;
      const subject = { attempt: 'refresh', userId, sessionId } as const;
      return recordThrottling(this.audit, subject, origin, async () =>
        this.exchange(recognized, origin, deadline),
      );
    }
    return this.refuseMadeUp(origin, deadline);
  }

  async logout(
    userId: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    await this.sessions.end(userId, sessionId, origin, deadline);
  }

  /**
   * Ends the session of a refresh token that we issued, spent or not. A session that is over already is a success, so that
   * repeating it tells whether the session has ended.
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating it is safe
   */
  async logoutByToken(
    refreshToken: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<TokenLogoutResult> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (!recognized) {
      return this.refuseMadeUp(origin, deadline);
    }
    const { userId, sessionId } = recognized;
    await this.sessions.endIfLive(userId, sessionId, origin.as(userId, sessionId), deadline);
    return { outcome: 'logged-out' };
  }

  /** Only what is made up is counted: whoever holds a token of ours must not be kept from it by a neighbour. */
  private async refuseMadeUp(
    origin: Origin,
    deadline: Deadline,
  ): Promise<{ readonly outcome: 'refused' } | TooManyAttempts> {
    const network = networkOf(origin.facts.ip ?? '');
    return recordThrottling(this.audit, { attempt: 'refresh' }, origin, async () =>
      this.limiter.attempt<{ readonly outcome: 'refused' }>(
        FORGERIES_PER_ADDRESS,
        network,
        deadline,
        () => {
          this.recordRefusedRefresh('unknown-token', {}, origin);
          return Promise.resolve({ value: { outcome: 'refused' }, result: 'failed' });
        },
      ),
    );
  }

  /** The same members for every reason, so that a known name costs as much as an unknown one. */
  private recordRefusedLogin(
    userId: string | undefined,
    namePseudonym: string,
    origin: Origin,
  ): void {
    this.audit.record({
      type: 'login-refused',
      result: 'refused',
      reason: 'wrong-credentials',
      userId,
      namePseudonym,
      ...origin.facts,
    });
  }

  private recordRefusedRefresh(
    reason: 'unknown-token' | 'session-ended',
    subject: { readonly userId?: string; readonly sessionId?: string },
    origin: Origin,
  ): void {
    this.audit.record({
      type: 'refresh-refused',
      result: 'refused',
      reason,
      ...subject,
      ...origin.facts,
    });
  }

  private async exchange(
    { userId, sessionId, token }: RecognizedToken,
    origin: Origin,
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
        this.recordRefresh(userId, sessionId, false, origin);
        return { outcome: 'refreshed', tokens };
      case 'replayed': {
        this.recordRefresh(userId, sessionId, true, origin);
        const newest = await newestAnswer(result.sealedAnswers, token);
        return { outcome: 'refreshed', tokens: this.tokensFrom(newest, sessionId) };
      }
      case 'reused':
        this.audit.record({
          type: 'refresh-token-reused',
          result: 'refused',
          reason: 'spent-token',
          userId,
          sessionId,
          ...origin.facts,
        });
        await this.sessions.end(userId, sessionId, origin, deadline);
        return { outcome: 'refused' };
      case 'ended':
        this.recordRefusedRefresh('session-ended', { userId, sessionId }, origin);
        return { outcome: 'refused' };
      case 'limited':
        return { outcome: 'too-many-attempts', retryAfterSeconds: result.retryAfterSeconds };
    }
  }

  private recordRefresh(
    userId: string,
    sessionId: string,
    isReplay: boolean,
    origin: Origin,
  ): void {
    this.audit.record({
      type: 'tokens-refreshed',
      result: 'success',
      userId,
      sessionId,
      ...origin.as(userId, sessionId).facts,
      details: { isReplay },
    });
  }

  private tokensFrom(answer: KeptAnswer, sessionId: string): IssuedTokens {
    return {
      accessToken: new Secret(answer.accessToken),
      expiresInSeconds: Math.floor((answer.expiresAt - this.clock.now()) / 1000),
      refreshToken: new Secret(answer.refreshToken),
      sessionId,
    };
  }

  private async checkAndStart(
    { username, password }: LoginRequest,
    { caller, namePseudonym, origin }: LoginContext,
    deadline: Deadline,
  ): Promise<LoginOutcome> {
    const check = await this.credentials.check(username, deadline, password, caller);
    if (check.outcome === 'too-many-attempts') {
      return check;
    }
    const tokens =
      check.outcome === 'right' ? await this.startSession(check.user, origin, deadline) : undefined;
    if (tokens === undefined) {
      const userId = check.outcome === 'right' ? check.user.id : check.userId;
      this.recordRefusedLogin(userId, namePseudonym, origin);
      return { outcome: 'wrong-credentials' };
    }
    return { outcome: 'logged-in', tokens, deviceCookie: this.devices.issue(username) };
  }

  /** @returns undefined when the user was deleted or got another password a moment ago */
  private async startSession(
    user: UserRecord,
    origin: Origin,
    deadline: Deadline,
  ): Promise<IssuedTokens | undefined> {
    const tokens = await this.issueTokens(user, randomUUID(), deadline);
    const session = {
      id: tokens.sessionId,
      userId: user.id,
      passwordVersion: user.passwordVersion,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      ip: origin.facts.ip ?? '',
      userAgent: origin.userAgent,
    };
    const hasStarted = await this.sessions.start(session, deadline);
    if (!hasStarted) {
      return undefined;
    }
    const { sessionId } = tokens;
    this.audit.record({
      type: 'logged-in',
      result: 'success',
      userId: user.id,
      sessionId,
      ...origin.as(user.id, sessionId).facts,
    });
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

/**
 * Follows the answers from a spent token to the newest one. Each is sealed under the token that it was given for, and holds
 * the token under which the next one is sealed.
 */
async function newestAnswer(sealedAnswers: readonly string[], spent: Secret): Promise<KeptAnswer> {
  let token = spent;
  let answer: KeptAnswer | undefined;
  for (const sealed of sealedAnswers) {
    answer = JSON.parse(await unseal(sealed, token, ANSWER_PURPOSE)) as KeptAnswer;
    token = new Secret(answer.refreshToken);
  }
  if (answer === undefined) {
    throw new Error('a replay holds no answer');
  }
  return answer;
}
