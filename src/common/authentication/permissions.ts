import { applyDecorators, SetMetadata } from '@nestjs/common';

import { GUARD_PROBLEMS, type ProblemCode } from '../problem/index.js';

/** Permissions that Keyslot's own routes require. */
export const PERMISSIONS = [
  'users:read',
  'users:write',
  'sessions:read',
  'sessions:write',
  'audit:read',
  'cluster:read',
  'keys:read',
  'keys:write',
  'roles:read',
  'roles:write',
  'service-accounts:read',
  'service-accounts:write',
] as const;
/** A permission of Keyslot's, or one that a role of the application or of the cluster grants. */
export type Permission = (typeof PERMISSIONS)[number] | (string & {});

/** Registered, as `IS_PUBLIC` is. */
export const REQUIRED_PERMISSIONS = Symbol.for('keyslot.required-permissions');

/** Requires all of these permissions for a route, or for all routes of a controller. The caller's current roles count. */
export function RequirePermissions(
  ...permissions: [Permission, ...Permission[]]
): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(REQUIRED_PERMISSIONS, permissions));
}

/** Problems that the guard can answer for a route of users, with `@CurrentUser()`. */
export const USER_PROBLEMS = [...GUARD_PROBLEMS, 'user-required'] as const satisfies ProblemCode[];

/** Problems that the guard can answer for a route with `@RequirePermissions()`. */
export const PERMISSION_PROBLEMS = [
  ...GUARD_PROBLEMS,
  'forbidden',
] as const satisfies ProblemCode[];
