import {
  applyDecorators,
  Injectable,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { Clock } from '../clock/index.js';
import { Problem } from '../problem/index.js';
import { requestOf } from '../transport/index.js';
import { userOnly } from './caller.decorators.js';
import type { Principal, UserPrincipal } from './principal.js';
import { RouteMetadata } from './route-metadata.js';

/** How long a login counts as recent (OWASP ASVS 7.5.1). */
const TEN_MINUTES = 600;
/** Registered, as `IS_PUBLIC` is. */
const RECENT_LOGIN = Symbol.for('keyslot.recent-login');

/**
 * Whether the user has logged in or reauthenticated within the last seconds. The claim `auth_time` of the token counts, which a refresh
 * does not change.
 */
export function isLoginRecent(
  { authTime }: Pick<UserPrincipal, 'authTime'>,
  nowSeconds: number,
  maxAgeSeconds = TEN_MINUTES,
): boolean {
  return authTime !== undefined && nowSeconds - authTime <= maxAgeSeconds;
}

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
      throw new Problem('missing-token');
    }
    if (!isLoginRecent(userOnly(principal), this.clock.nowSeconds(), this.maxAge.of(context))) {
      throw new Problem('reauthentication-required');
    }
    return true;
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
