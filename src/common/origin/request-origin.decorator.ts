import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import type { Principal } from '../authentication/index.js';
import { headerText } from './header-text.js';
import { Origin } from './origin.js';

/** @param request after the guard, which leaves the caller of a guarded route in `user` */
export function originOf(
  request: Pick<FastifyRequest, 'id' | 'ip' | 'headers'> & { readonly user?: Principal },
): Origin {
  const { id: requestId, ip, headers, user } = request;
  const userAgent = headerText(headers['user-agent'] ?? '');
  const origin = new Origin({ actor: 'anonymous', ip, requestId }, userAgent);
  if (!user) {
    return origin;
  }
  return user.kind === 'user'
    ? origin.as(user.userId, user.sessionId)
    : origin.asClient(user.clientId);
}

/** The request's origin, as a parameter: `@RequestOrigin() origin: Origin`. */
export const RequestOrigin = createParamDecorator((_: unknown, context: ExecutionContext): Origin =>
  originOf(context.switchToHttp().getRequest<FastifyRequest & { readonly user?: Principal }>()),
);
