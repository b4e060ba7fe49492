import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { headerText } from './header-text.js';
import { Origin } from './origin.js';

/** The part of `Principal` that is needed here. Importing it would make the modules depend on each other. */
type Caller =
  | { readonly kind: 'user'; readonly userId: string; readonly sessionId: string }
  | { readonly kind: 'client'; readonly clientId: string };

/** @param request after the guard, which sets `user` on guarded routes */
export function originOf(
  request: Pick<FastifyRequest, 'id' | 'ip' | 'headers'> & { readonly user?: Caller },
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
  originOf(context.switchToHttp().getRequest<FastifyRequest & { readonly user?: Caller }>()),
);
