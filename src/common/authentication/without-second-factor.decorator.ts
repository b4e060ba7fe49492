import { SetMetadata } from '@nestjs/common';

/** Registered, as `IS_PUBLIC` is. */
export const WITHOUT_SECOND_FACTOR = Symbol.for('keyslot.without-second-factor');

/**
 * Allows a route, or all routes of a controller, to users whose role requires a second factor and who have none yet. All other
 * guarded routes refuse them. For routes with which a user adds a factor.
 */
export function WithoutSecondFactor(): MethodDecorator & ClassDecorator {
  return SetMetadata(WITHOUT_SECOND_FACTOR, true);
}
