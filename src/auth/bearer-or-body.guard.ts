import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { JwtAuthGuard } from '../guard/index.js';

/**
 * For a public route whose body proves who calls: without a body it asks for a Bearer token as every other route does. A
 * body counts more than a token, which a client may send along after it has run out.
 */
@Injectable()
export class BearerOrBodyGuard implements CanActivate {
  constructor(private readonly guard: JwtAuthGuard) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    return isEmpty(body) ? this.guard.authenticate(context) : true;
  }
}

/** No body, or `{}`, which clients send that cannot send none. */
export function isEmpty(body: unknown): boolean {
  return (
    body === undefined ||
    (typeof body === 'object' &&
      body !== null &&
      !Array.isArray(body) &&
      Object.keys(body).length === 0)
  );
}
