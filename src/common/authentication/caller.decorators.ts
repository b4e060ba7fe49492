import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { Problem } from '../problem/index.js';
import type { Principal, UserPrincipal } from './principal.js';

/**
 * The caller of a guarded route, who may be a user or a client, as a parameter: `@CurrentPrincipal() caller: Principal`.
 * Undefined on a public route.
 */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined => principalOf(context),
);

/**
 * The user who calls a guarded route, as a parameter: `@CurrentUser() principal: UserPrincipal`. A client gets 403
 * `user-required`. Undefined on a public route.
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

function principalOf(context: ExecutionContext): Principal | undefined {
  return context.switchToHttp().getRequest<{ user?: Principal }>().user;
}
