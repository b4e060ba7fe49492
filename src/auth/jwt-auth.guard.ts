import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';

import { IS_PUBLIC, type Principal } from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import { AccessTokenValidator } from './access-token/access-token-validator.js';
import { bearerToken } from './access-token/bearer-token.js';
import type { JwtFailure } from './jwt.strategy.js';

/**
 * Stands in front of every route and denies by default; `@Public()` is the way out. A token that memory can decide about
 * is decided here, without a promise; every other one goes through Passport.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    private readonly validator: AccessTokenValidator,
  ) {
    super();
  }

  override canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    return isPublic === true || this.recall(context) || super.canActivate(context);
  }

  private recall(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
    const bearer = bearerToken(request.raw);
    const principal = bearer.kind === 'token' ? this.validator.recall(bearer.token) : undefined;
    if (principal) {
      request.user = principal;
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
