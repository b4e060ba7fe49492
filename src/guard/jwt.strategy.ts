import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';

import type { Principal } from '../common/authentication/index.js';
import { deadlineOf, type Deadline } from '../common/deadline/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { bearerToken, type TokenSource } from './bearer-token.js';
import { GuardMetrics } from './guard-metrics.js';

/** As short as the deadline of a read request, because other requests may share the look-up. */
const CHECK_TIMEOUT_MS = 1800;

type StrategyRequest = TokenSource & Parameters<typeof deadlineOf>[0];

interface PassportActions {
  readonly success: (principal: Principal) => void;
  readonly fail: (failure: JwtFailure, status: number) => void;
  readonly error: (error: Error) => void;
}

/** Why the strategy rejected a request. The guard receives it as `info` from Passport. */
export type JwtFailure = 'missing-token' | 'invalid-token';

/**
 * The Passport strategy `jwt`. It keeps the name and conventions of passport-jwt (an extractor, `validate`, `request.user`). It
 * replaces the check of passport-jwt, which ignores `typ` and `crit`, does not require `exp`, and ignores text after the token.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    private readonly validator: AccessTokenValidator,
    private readonly metrics: GuardMetrics,
  ) {
    super({
      jwtFromRequest: tokenFromRequest,
      secretOrKeyProvider: (_request: unknown, _token: unknown, done: (error: Error) => void) =>
        done(new Error('keys are chosen by the validator')),
    });
  }

  /** @param request from `getRequest` of the guard. The types of passport-jwt support only Express */
  override authenticate(request: unknown): void {
    // Passport sets these functions for each request, on this object, which all requests share.
    const { success, fail, error } = this as PassportActions;
    this.decide(request as StrategyRequest, { success, fail }).catch(error);
  }

  /** @returns the value of `request.user` */
  validate(principal: Principal): Principal {
    return principal;
  }

  private async decide(
    request: StrategyRequest,
    { success, fail }: Pick<PassportActions, 'success' | 'fail'>,
  ): Promise<void> {
    const bearer = bearerToken(request);
    if (bearer.kind !== 'token') {
      this.metrics.memory.refused += 1;
      const failure = bearer.kind === 'none' ? 'missing-token' : 'invalid-token';
      fail(failure, 401);
      return;
    }
    const deadline = deadlineOf(request).within(CHECK_TIMEOUT_MS);
    const principal = await this.principalOf(bearer.token, deadline);
    if (principal) {
      success(this.validate(principal));
    } else {
      fail('invalid-token', 401);
    }
  }

  private async principalOf(token: string, deadline: Deadline): Promise<Principal | undefined> {
    let source: 'memory' | 'redis' = 'memory';
    try {
      const principal = await this.validator.validate(token, deadline, () => (source = 'redis'));
      this.metrics[source][principal ? 'accepted' : 'refused'] += 1;
      return principal;
    } catch (error) {
      this.metrics.redis.unavailable += 1;
      throw error;
    }
  }
}

function tokenFromRequest(request: unknown): string | null {
  const bearer = bearerToken(request as TokenSource);
  return bearer.kind === 'token' ? bearer.token : null;
}
