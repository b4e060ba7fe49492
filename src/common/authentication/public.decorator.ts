import { SetMetadata } from '@nestjs/common';

/** Registered, so that the copies of this file for `import` and for `require` have the same key. */
export const IS_PUBLIC = Symbol.for('keyslot.public');

/** Allows access without a token to a route, or to all routes of a controller. All other routes require a token. */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata(IS_PUBLIC, true);
}
