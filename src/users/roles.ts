import { PERMISSIONS, type Permission } from '../common/authentication/index.js';

/** The roles that a user can have, and what each one allows. */
const PERMISSIONS_OF_ROLE = {
  admin: PERMISSIONS,
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof PERMISSIONS_OF_ROLE;

export const ROLES = Object.keys(PERMISSIONS_OF_ROLE) as Role[];

/** @returns whether roles, known or not, give all of these permissions */
export function allow(roles: readonly string[], required: readonly Permission[]): boolean {
  const granted = new Set(
    ROLES.filter((role) => roles.includes(role)).flatMap((role) => PERMISSIONS_OF_ROLE[role]),
  );
  return required.every((permission) => granted.has(permission));
}
