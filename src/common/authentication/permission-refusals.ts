import type { Origin } from '../origin/index.js';
import type { Permission } from './permissions.js';
import type { Principal } from './principal.js';

/**
 * A caller with a valid token lacked a permission that the route requires, or the second factor that its role requires, or the token is
 * limited by a scope.
 */
export interface PermissionRefusal {
  readonly principal: Principal;
  readonly reason: 'missing-permission' | 'missing-second-factor' | 'limited-token';
  /** Empty unless a permission is missing. */
  readonly required: readonly Permission[];
  readonly origin: Origin;
}

/** Receives the refusals of CurrentRolesGuard. AuditModule provides it, so that every refusal becomes an audit event. */
export interface PermissionRefusals {
  /** Runs before the response is sent. Must not throw. */
  record(refusal: PermissionRefusal): void;
}

export const PERMISSION_REFUSALS = Symbol('PERMISSION_REFUSALS');
