import {
  applyDecorators,
  Injectable,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { RouteMetadata, userOnly, type Principal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import { Problem } from '../common/problem/index.js';
import { requestOf } from '../common/transport/index.js';
import { bearerToken } from './bearer-token.js';
import { parseCompactToken } from './compact-token.js';
import { guardProblem } from './guard-problem.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

const TEN_MINUTES = 600;
/** Registered, as `IS_PUBLIC` is. */
const RECENT_LOGIN = Symbol.for('keyslot.recent-login');

/** Runs after the global guard, which has set the principal. */
@Injectable()
export class RecentLoginGuard implements CanActivate {
  private readonly maxAge: RouteMetadata<number>;

  constructor(
    reflector: Reflector,
    private readonly guard: JwtAuthGuard,
    private readonly clock: Clock,
  ) {
    this.maxAge = new RouteMetadata(reflector, RECENT_LOGIN);
  }

  canActivate(context: ExecutionContext): boolean {
    const principal = requestOf<{ readonly user?: Principal }>(context)?.user;
    if (!principal) {
      throw guardProblem(new Problem('missing-token'), context);
    }
    userOnly(principal);
    if (!this.isRecent(context)) {
      throw guardProblem(new Problem('reauthentication-required'), context);
    }
    return true;
  }

  /** The global guard has accepted the token, so its claims are right. */
  private isRecent(context: ExecutionContext): boolean {
    const maxAge = this.maxAge.of(context) ?? TEN_MINUTES;
    const bearer = bearerToken(this.guard.getRequest(context) ?? {});
    const claims = bearer.kind === 'token' ? parseCompactToken(bearer.token)?.payload : undefined;
    const authTime = claims?.['auth_time'];
    return typeof authTime === 'number' && this.clock.nowSeconds() - authTime <= maxAge;
  }
}

/**
 * Requires, for a route or for all routes of a controller, that the user has logged in or reauthenticated within the last seconds.
 * The claim `auth_time` of the token counts, which a refresh does not change. Otherwise the answer is 403
 * `reauthentication-required`: the client sends the password or a second factor to `POST /api/user/reauthentication`, and repeats the
 * request with the new token (RFC 9470).
 *
 * @param seconds default: 600
 */
export function RequireRecentLogin(seconds = TEN_MINUTES): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(RECENT_LOGIN, seconds), UseGuards(RecentLoginGuard));
}
