import { Injectable, Logger } from '@nestjs/common';
import { decodeJwt } from 'jose';

import { AuditLog } from '../audit/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import { Secret } from '../common/secret/index.js';
import { recordThrottling } from '../credentials/index.js';
import { RoleReader } from '../roles/read/index.js';
import { RateLimiter, refusalsPerAddress, type TooManyAttempts } from '../rate-limit/index.js';
import { SessionsService, type Authentication } from '../sessions/index.js';
import { UsersService } from '../users/index.js';
import { newestTokens, sealTokens, type ReplayedTokens } from './sealed-answers.js';
import { RefreshTokens, type RecognizedToken } from './refresh-tokens.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

/** Refresh tokens cannot be guessed. The limit only stops clients that send many forged tokens. */
const FORGERIES_PER_ADDRESS = refusalsPerAddress('refresh-address');

/** Of a token that may not be exchanged. It never counts as a recent login. */
const UNKNOWN: Authentication = { time: 0, methods: [] };

export type RefreshResult =
  | { readonly outcome: 'refreshed'; readonly tokens: IssuedTokens }
  | { readonly outcome: 'refused' }
  | TooManyAttempts;

export type TokenLogoutResult =
  { readonly outcome: 'logged-out' } | { readonly outcome: 'refused' } | TooManyAttempts;

/** The uses of a refresh token: new tokens, and the end of its session. */
@Injectable()
export class RefreshService {
  private readonly logger = new Logger('Sessions');

  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly tokens: SessionTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly roles: RoleReader,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Exchanges a refresh token for new tokens of the same session. A spent token returns the newest tokens of the session during
   * its grace period. After the grace period, its use ends the session.
   *
   * @param scope permissions to which the access token is limited, separated by spaces. Those that the user lacks are left out.
   * The refresh token is not limited
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating it is safe
   */
  async refresh(
    refreshToken: string,
    scope: string | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RefreshResult> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (recognized) {
      const { userId, sessionId } = recognized;
      const subject = { attempt: 'refresh', userId, sessionId } as const;
      return recordThrottling(this.audit, subject, origin, async () =>
        this.exchange(recognized, scope, origin, deadline),
      );
    }
    return this.refuseForged(origin, deadline);
  }

  /**
   * Ends the session of a refresh token that Keyslot issued, spent or not. It also succeeds if the session has already ended,
   * so that the client can repeat the call until it succeeds.
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating it is safe
   */
  async logout(
    refreshToken: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<TokenLogoutResult> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (!recognized) {
      return this.refuseForged(origin, deadline);
    }
    const { userId, sessionId } = recognized;
    await this.sessions.endIfLive(userId, sessionId, origin.as(userId, sessionId), deadline);
    return { outcome: 'logged-out' };
  }

  /**
   * Ends the session of a refresh token that a client gives up for one of another session. Does nothing if Keyslot did not issue the
   * token, or if both belong to the same session. If the end is not confirmed, only the log says so, because the client has its new
   * session already and cannot repeat the call.
   */
  async endReplaced(
    refreshToken: string,
    nextSessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const recognized = this.refreshTokens.recognize(refreshToken);
    if (!recognized || recognized.sessionId === nextSessionId) {
      return;
    }
    const { userId, sessionId } = recognized;
    try {
      await this.sessions.endIfLive(userId, sessionId, origin.as(userId, sessionId), deadline);
    } catch (error) {
      this.logger.warn({
        userId,
        sessionId,
        msg: `A session that a new login replaced could not be ended: ${(error as Error).message}`,
      });
    }
  }

  /** Only forged tokens count, so that other clients at the same address cannot block a client with a genuine token. */
  private async refuseForged(
    origin: Origin,
    deadline: Deadline,
  ): Promise<{ readonly outcome: 'refused' } | TooManyAttempts> {
    const network = networkOf(origin.facts.ip ?? '');
    return recordThrottling(this.audit, { attempt: 'refresh' }, origin, async () => {
      const refusal = await this.limiter.count(FORGERIES_PER_ADDRESS, network, deadline);
      if (refusal) {
        return refusal;
      }
      this.recordRefusedRefresh('unknown-token', {}, origin);
      return { outcome: 'refused' };
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
    scope: string | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RefreshResult> {
    const [user, authentication = UNKNOWN] = await Promise.all([
      this.users.findCurrent(userId, deadline),
      this.sessions.authenticationOf(userId, sessionId, token, deadline),
    ]);
    const subject = { id: userId, roles: user?.roles ?? [] };
    const limit = await this.limitOf(scope, subject.roles, deadline);
    const tokens = await this.tokens.issue(
      subject,
      { id: sessionId, authentication },
      deadline,
      limit,
    );
    const answer: ReplayedTokens = {
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
      sealedAnswer: await sealTokens(answer, token),
    };
    const result = await this.sessions.exchange(exchange, deadline);
    switch (result.outcome) {
      case 'rotated':
        this.recordRefresh(userId, sessionId, false, origin);
        return { outcome: 'refreshed', tokens };
      case 'replayed': {
        this.recordRefresh(userId, sessionId, true, origin);
        const newest = await newestTokens(result.sealedAnswers, token);
        const replayed = this.tokensFrom(newest, sessionId);
        // The earlier access token may have another scope, or its key may have been withdrawn since.
        const isFit =
          replayed.scope === limit && (await this.tokens.isKeyValid(newest.accessToken, deadline));
        return isFit
          ? { outcome: 'refreshed', tokens: replayed }
          : { outcome: 'refreshed', tokens: { ...tokens, refreshToken: replayed.refreshToken } };
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

  /** @returns the requested permissions that the roles grant now; undefined without a scope */
  private async limitOf(
    scope: string | undefined,
    roles: readonly string[],
    deadline: Deadline,
  ): Promise<string | undefined> {
    if (scope === undefined) {
      return undefined;
    }
    const known = await this.roles.current(deadline);
    const asked = [...new Set(scope.split(' '))];
    return asked.filter((permission) => known.grant(roles, [permission])).join(' ');
  }

  private tokensFrom(answer: ReplayedTokens, sessionId: string): IssuedTokens {
    const { scope } = decodeJwt<{ scope?: string }>(answer.accessToken);
    return {
      accessToken: new Secret(answer.accessToken),
      expiresInSeconds: Math.floor((answer.expiresAt - this.clock.now()) / 1000),
      refreshToken: new Secret(answer.refreshToken),
      sessionId,
      ...(scope === undefined ? {} : { scope }),
    };
  }
}
