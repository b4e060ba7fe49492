import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';

import { requestOf } from '../transport/index.js';
import { headerText } from './header-text.js';
import { Origin } from './origin.js';

/** The part of `Principal` that is needed here. Importing it would make the modules depend on each other. */
type Caller =
  | { readonly kind: 'user'; readonly userId: string; readonly sessionId: string }
  | { readonly kind: 'client'; readonly clientId: string };

/** A request of Fastify or Express, or what stands for it on other transports. */
interface Request {
  /** Only of Fastify. */
  readonly id?: string | undefined;
  /** Undefined for messages of microservices. */
  readonly ip?: string | undefined;
  readonly headers?: IncomingHttpHeaders;
  readonly user?: Caller;
}

/** @param request after the guard, which sets `user` on guarded routes */
export function originOf(request: Request): Origin {
  const { id: requestId, ip, headers, user } = request;
  const userAgent = headerText(headers?.['user-agent'] ?? '');
  const origin = new Origin(
    { actor: 'anonymous', ip, requestId },
    userAgent,
    headers?.['accept-language'],
  );
  if (!user) {
    return origin;
  }
  return user.kind === 'user'
    ? origin.as(user.userId, user.sessionId)
    : origin.asClient(user.clientId);
}

/** The request's origin, as a parameter: `@RequestOrigin() origin: Origin`. */
export const RequestOrigin = createParamDecorator((_: unknown, context: ExecutionContext): Origin =>
  originOf(requestOf<Request>(context) ?? {}),
);
