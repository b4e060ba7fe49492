import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { Problem } from '../problem/index.js';
import { handshakeOf, requestOf } from '../transport/index.js';
import type { Principal, UserPrincipal } from './principal.js';

/**
 * The caller of a guarded handler, who may be a user or a client, as a parameter: `@CurrentPrincipal() caller: Principal`.
 * Undefined on a public route. Works on every transport.
 */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined => principalOf(context),
);

/**
 * The user who calls a guarded handler, as a parameter: `@CurrentUser() principal: UserPrincipal`. A client gets 403
 * `user-required`. Undefined on a public route. Works on every transport.
 */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext): UserPrincipal | undefined => {
    const principal = principalOf(context);
    return principal && userOnly(principal);
  },
);

/** @throws Problem `user-required` for a client */
export function userOnly(principal: Principal): UserPrincipal {
  if (principal.kind !== 'user') {
    throw new Problem('user-required');
  }
  return principal;
}

/**
 * The caller who opened a WebSocket connection, for `handleConnection` and other code without a message. Undefined on a public
 * gateway.
 *
 * @param client the client of the WebSocket library
 */
export function principalOfClient(client: object): Principal | undefined {
  return handshakeOf(client)?.user as Principal | undefined;
}

function principalOf(context: ExecutionContext): Principal | undefined {
  return requestOf<{ readonly user?: Principal }>(context)?.user;
}
