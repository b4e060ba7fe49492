import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';

import { IS_PUBLIC } from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';
import type { JwtFailure } from './jwt.strategy.js';

/** Stands in front of every route and denies by default; `@Public()` is the way out. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    return isPublic === true || ((await super.canActivate(context)) as boolean);
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
