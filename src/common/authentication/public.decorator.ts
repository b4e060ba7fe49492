import { SetMetadata } from '@nestjs/common';

/** Registered, so that the copies of this file for `import` and for `require` have the same key. */
export const IS_PUBLIC = Symbol.for('keyslot.public');

/** Allows access without a token to a route, or to all routes of a controller. All other routes require a token. */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata(IS_PUBLIC, true satisfies PublicAccess);
}

/**
 * Allows access without a token, and identifies a caller who sends one: `@CurrentPrincipal()` is then set. A token that is not
 * accepted is refused, as on other routes.
 */
export function OptionalToken(): MethodDecorator & ClassDecorator {
  return SetMetadata(IS_PUBLIC, 'token-optional' satisfies PublicAccess);
}

/** The value of `IS_PUBLIC`. Absent: a token is required. */
export type PublicAccess = true | 'token-optional';
