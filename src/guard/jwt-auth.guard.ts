import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';

import { IS_PUBLIC, RouteMetadata, type Principal } from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { uncheckedToken } from './bearer-token.js';
import { GuardMetrics } from './guard-metrics.js';
import type { JwtFailure } from './jwt.strategy.js';

/**
 * Guards every route and denies by default; `@Public()` exempts a route. If memory can decide about the token, this guard
 * decides synchronously. Otherwise Passport does.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  private readonly isPublic: RouteMetadata<boolean>;

  constructor(
    reflector: Reflector,
    private readonly validator: AccessTokenValidator,
    private readonly metrics: GuardMetrics,
  ) {
    super();
    this.isPublic = new RouteMetadata(reflector, IS_PUBLIC);
  }

  override canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return this.isPublic.of(context) === true || this.authenticate(context);
  }

  /** Requires a token even on a public route: for guards of single routes. */
  authenticate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return this.recall(context) || super.canActivate(context);
  }

  private recall(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    const token = uncheckedToken(request.raw);
    const principal = token === undefined ? undefined : this.validator.recall(token);
    if (principal) {
      request.user = principal;
      this.metrics.memory.accepted += 1;
    }
    return principal !== undefined;
  }

  override handleRequest<User>(error: Error | null, user: User | false, info: unknown): User {
    if (error) {
      throw error;
    }
    if (!user) {
      throw new Problem(info === ('missing-token' satisfies JwtFailure) ? info : 'invalid-token');
    }
    return user;
  }
}
