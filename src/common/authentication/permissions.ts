import { applyDecorators, SetMetadata } from '@nestjs/common';

import { GUARD_PROBLEMS, type ProblemCode } from '../problem/index.js';

/** What a role may allow. */
export const PERMISSIONS = [
  'users:read',
  'users:write',
  'sessions:read',
  'sessions:write',
  'audit:read',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

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
