import { SetMetadata } from '@nestjs/common';

/** Registered, as `IS_PUBLIC` is. */
export const REQUIRES_UNLIMITED_TOKEN = Symbol.for('keyslot.requires-unlimited-token');

/**
 * Refuses tokens of users that a scope limits, for a route or for all routes of a controller: 403 `unlimited-token-required`. For routes that
 * show or change the account itself, because a limited token is meant for another service. Tokens
 * of service accounts pass: what they may do is limited by their permissions.
 */
export function RequireUnlimitedToken(): MethodDecorator & ClassDecorator {
  return SetMetadata(REQUIRES_UNLIMITED_TOKEN, true);
}
