import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';

export const IS_PUBLIC = Symbol('IS_PUBLIC');

/** Allows access without a token to a route, or to all routes of a controller. All other routes require a token. */
export function Public(): MethodDecorator & ClassDecorator {
  // Without ApiSecurity, the API description says that the route requires a token.
  return applyDecorators(SetMetadata(IS_PUBLIC, true), ApiSecurity({}));
}
