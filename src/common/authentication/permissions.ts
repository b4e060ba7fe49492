import { applyDecorators, SetMetadata } from '@nestjs/common';

import { GUARD_PROBLEMS, type ProblemCode } from '../problem/index.js';

/** What Keyslot's own routes ask for. */
export const PERMISSIONS = [
  'users:read',
  'users:write',
  'sessions:read',
  'sessions:write',
  'audit:read',
] as const;
/** One of Keyslot's own, or any other that a role of the application gives. */
export type Permission = (typeof PERMISSIONS)[number] | (string & {});

export const REQUIRED_PERMISSIONS = Symbol('REQUIRED_PERMISSIONS');

/** Opens a route, or all routes of a controller, only to users whose roles give them all of these permissions, now. */
export function RequirePermissions(
  ...permissions: [Permission, ...Permission[]]
): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(REQUIRED_PERMISSIONS, permissions));
}

/** What a route with `@RequirePermissions()` can answer before it is reached. */
export const PERMISSION_PROBLEMS = [
  ...GUARD_PROBLEMS,
  'forbidden',
] as const satisfies ProblemCode[];
