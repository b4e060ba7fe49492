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
import { guardProblem } from './guard-problem.js';

const TEN_MINUTES = 600;
/** Registered, as `IS_PUBLIC` is. */
const RECENT_LOGIN = Symbol.for('keyslot.recent-login');

/** Runs after the global guard, which has set the principal. */
@Injectable()
export class RecentLoginGuard implements CanActivate {
  private readonly maxAge: RouteMetadata<number>;

  constructor(
    reflector: Reflector,
    private readonly clock: Clock,
  ) {
    this.maxAge = new RouteMetadata(reflector, RECENT_LOGIN);
  }

  canActivate(context: ExecutionContext): boolean {
    const principal = requestOf<{ readonly user?: Principal }>(context)?.user;
    if (!principal) {
      throw guardProblem(new Problem('missing-token'), context);
    }
    if (!this.isRecent(principal, context)) {
      throw guardProblem(new Problem('reauthentication-required'), context);
    }
    return true;
  }

  private isRecent(principal: Principal, context: ExecutionContext): boolean {
    const { authTime } = userOnly(principal);
    const maxAge = this.maxAge.of(context) ?? TEN_MINUTES;
    return authTime !== undefined && this.clock.nowSeconds() - authTime <= maxAge;
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
