import { PERMISSIONS, type Permission } from './permissions.js';

export interface RolesOptions {
  /**
   * Roles that a user can have besides `admin`, and the permissions that each one gives: those of Keyslot's own routes, and
   * any that the application's routes require. `admin` gives all of them. Default: none.
   */
  readonly roles?: Readonly<Record<string, readonly Permission[]>>;
}

/** Has every permission that any role has. */
export const ADMINISTRATOR = 'admin';

/** The roles that a user can have, and what each one allows: `admin`, and those that the application has added. */
export class Roles {
  private readonly permissionsOf: ReadonlyMap<string, ReadonlySet<Permission>>;

  constructor({ roles = {} }: RolesOptions = {}) {
    if (ADMINISTRATOR in roles) {
      throw new Error(
        `the role '${ADMINISTRATOR}' gives every permission, and cannot be another one`,
      );
    }
    const added = Object.entries(roles);
    const all = [...PERMISSIONS, ...added.flatMap(([, permissions]) => permissions)];
    this.permissionsOf = new Map([...added, [ADMINISTRATOR, all] as const].map(toSet));
  }

  get names(): readonly string[] {
    return [...this.permissionsOf.keys()];
  }

  /** Whether any role gives a permission. */
  know(permission: Permission): boolean {
    return this.allow([ADMINISTRATOR], [permission]);
  }

  /**
   * The roles that give more than these do: nobody may give, change or take them who has only these. Roles that are not
   * known give nothing. `admin` gives also what is added later, so only `admin` includes it.
   */
  beyond(roles: readonly string[]): readonly string[] {
    return roles.includes(ADMINISTRATOR)
      ? []
      : [...this.permissionsOf].flatMap(([name, permissions]) =>
          name !== ADMINISTRATOR && this.allow(roles, [...permissions]) ? [] : [name],
        );
  }

  /** @returns whether roles, known or not, give all of these permissions */
  allow(roles: readonly string[], required: readonly Permission[]): boolean {
    return required.every((permission) =>
      roles.some((role) => this.permissionsOf.get(role)?.has(permission)),
    );
  }
}

function toSet([role, permissions]: readonly [string, readonly Permission[]]) {
  return [role, new Set(permissions)] as const;
}
