import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';

export const IS_PUBLIC = Symbol('IS_PUBLIC');

/** Opens a route, or all routes of a controller, to callers without a token. Everything else is denied by default. */
export function Public(): MethodDecorator & ClassDecorator {
  // In the API description too: without it, a route inherits the need for a token.
  return applyDecorators(SetMetadata(IS_PUBLIC, true), ApiSecurity({}));
}
