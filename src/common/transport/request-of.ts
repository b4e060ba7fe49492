import type { ArgumentsHost } from '@nestjs/common';

import type { CallRequest } from './call-request.js';
import { handshakeOf } from './handshake.js';
import { messageRequest } from './message-request.js';

/**
 * The request of a handler call on any transport of Nest. HTTP: the request of the platform. GraphQL: the member `req` of the
 * context, or the context itself. WebSocket: the handshake of the connection. Microservices: the headers of the message.
 *
 * @returns undefined if the transport is unknown, or if the connection was not opened through the guard
 */
export function requestOf<Request = CallRequest>(context: ArgumentsHost): Request | undefined {
  // Not switchToHttp, which creates three functions for each request.
  const type = context.getType<string>();
  return (type === 'http' ? context.getArgByIndex(0) : otherRequestOf(type, context)) as
    Request | undefined;
}

function otherRequestOf(type: string, context: ArgumentsHost): unknown {
  switch (type) {
    case 'graphql': {
      const graphql = context.getArgByIndex<{ readonly req?: unknown } | undefined>(2);
      return graphql?.req ?? graphql;
    }
    case 'ws':
      return handshakeOf(context.getArgByIndex(0));
    case 'rpc':
      return messageRequest(context.getArgByIndex(0), context.getArgByIndex(1));
    default:
      return undefined;
  }
}
