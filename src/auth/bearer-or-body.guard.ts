import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { JwtAuthGuard } from '../guard/index.js';

/**
 * For a public route whose body can authenticate the caller. Without a body, the guard requires a Bearer token. With a body, it
 * ignores the token, because a client may also send an expired one.
 */
@Injectable()
export class BearerOrBodyGuard implements CanActivate {
  constructor(private readonly guard: JwtAuthGuard) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    return isEmpty(body) ? this.guard.authenticate(context) : true;
  }
}

/** Whether there is no body, or `{}`, which some clients send instead of no body. */
export function isEmpty(body: unknown): boolean {
  return (
    body === undefined ||
    (typeof body === 'object' &&
      body !== null &&
      !Array.isArray(body) &&
      Object.keys(body).length === 0)
  );
}
