import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';

import type { Principal } from '../common/authentication/index.js';
import { deadlineOf } from '../common/deadline/index.js';
import { bearerToken, type TokenSource } from './bearer-token.js';
import { TokenCheck, type TokenRefusal } from './token-check.js';

type StrategyRequest = TokenSource & Parameters<typeof deadlineOf>[0];

interface PassportActions {
  readonly success: (principal: Principal) => void;
  readonly fail: (failure: TokenRefusal, status: number) => void;
  readonly error: (error: Error) => void;
}

/**
 * The Passport strategy `jwt`. It keeps the name and conventions of passport-jwt (an extractor, `validate`, `request.user`). It
 * replaces the check of passport-jwt, which ignores `typ` and `crit`, does not require `exp`, and ignores text after the token.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(private readonly check: TokenCheck) {
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
    const result = await this.check.ofRequest(request, deadlineOf(request));
    if (typeof result === 'string') {
      fail(result, 401); // The guard receives the refusal as `info`.
    } else {
      success(this.validate(result));
    }
  }
}

function tokenFromRequest(request: unknown): string | null {
  const bearer = bearerToken(request as TokenSource);
  return bearer.kind === 'token' ? bearer.token : null;
}
