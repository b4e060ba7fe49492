import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';

import {
  IS_PUBLIC,
  RouteMetadata,
  type Principal,
  type PublicAccess,
} from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { requestOf } from '../common/transport/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { bearerToken, uncheckedCredentials, type TokenSource } from './bearer-token.js';
import { GuardMetrics } from './guard-metrics.js';
import { guardProblem } from './guard-problem.js';
import { JwtStrategy } from './jwt.strategy.js';
import type { TokenRefusal } from './token-check.js';

/** A request from which the guard reads the token. The guard sets `user`. */
export type GuardedRequest = TokenSource & { user?: Principal };

/**
 * Guards every handler on every transport and denies by default; `@Public()` exempts a handler. If memory can decide about the
 * token, this guard decides synchronously. Otherwise Passport does.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard() {
  private readonly publicAccess: RouteMetadata<PublicAccess>;
  private readonly hasOwnRequests: boolean;

  constructor(
    reflector: Reflector,
    private readonly validator: AccessTokenValidator,
    private readonly metrics: GuardMetrics,
    strategy: JwtStrategy,
  ) {
    // The strategy itself and not its name: Passport has one list of names for the whole process, in which another application or
    // a strategy of the application may be called `jwt`.
    super({ defaultStrategy: strategy });
    this.publicAccess = new RouteMetadata(reflector, IS_PUBLIC);
    this.hasOwnRequests = this.getRequest !== JwtAuthGuard.prototype.getRequest;
  }

  /**
   * The request that carries the token. Override it for a token in another place, such as a cookie, and for other transports:
   * return an object with `headers.authorization`.
   *
   * @returns the request of HTTP or GraphQL, the handshake of a WebSocket connection, or the headers of a message. Undefined if
   * there is none: the call is refused
   */
  override getRequest(context: ExecutionContext): GuardedRequest | undefined {
    return requestOf<GuardedRequest>(context);
  }

  override canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const access = this.publicAccess.of(context);
    return (
      access === true ||
      (access === 'token-optional' && !this.hasToken(context)) ||
      this.authenticate(context)
    );
  }

  /** Requires a token even on a public route: for guards of single routes. */
  authenticate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const request = this.getRequest(context);
    if (!request) {
      this.metrics.memory.refused += 1;
      throw new Problem('missing-token');
    }
    return this.recall(request, context) || super.canActivate(context);
  }

  private hasToken(context: ExecutionContext): boolean {
    const request = this.getRequest(context);
    return request !== undefined && bearerToken(request).kind !== 'none';
  }

  private recall(request: GuardedRequest, context: ExecutionContext): boolean {
    const credentials = uncheckedCredentials(request);
    const principal = credentials ? this.validator.recallCredentials(credentials) : undefined;
    if (principal) {
      this.metrics.memory.accepted += 1;
      request.user = principal;
      if (this.hasOwnRequests) {
        shareWithDecorators(context, principal);
      }
    }
    return principal !== undefined;
  }

  override handleRequest<User>(
    error: Error | null,
    user: User | false,
    info: unknown,
    context: ExecutionContext,
  ): User {
    if (error) {
      throw guardProblem(error, context);
    }
    if (!user) {
      throw new Problem(info === ('missing-token' satisfies TokenRefusal) ? info : 'invalid-token');
    }
    shareWithDecorators(context, user);
    return user;
  }
}

/** `@CurrentUser()` and the check of permissions read the principal from this request, also if `getRequest` is overridden. */
function shareWithDecorators(context: ExecutionContext, principal: unknown): void {
  const request = requestOf(context);
  if (request) {
    request.user = principal;
  }
}
