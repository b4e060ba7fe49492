import { PERMISSIONS, type Permission } from './permissions.js';

export interface RolesOptions {
  /**
   * Roles besides `admin`, and the permissions that each one grants: those of Keyslot's routes, and any that routes of the
   * application require. `admin` grants all of them. Default: none.
   */
  readonly roles?: Readonly<Record<string, readonly Permission[]>>;
}

/** Grants every permission that any role grants. */
export const ADMINISTRATOR = 'admin';

/** The roles that a user can have, and their permissions: `admin`, and the roles of the application. */
export class Roles {
  private readonly permissionsOf: ReadonlyMap<string, ReadonlySet<Permission>>;

  constructor({ roles = {} }: RolesOptions = {}) {
    if (ADMINISTRATOR in roles) {
      throw new Error(
        `the role '${ADMINISTRATOR}' grants every permission and cannot be redefined`,
      );
    }
    const added = Object.entries(roles);
    const all = [...PERMISSIONS, ...added.flatMap(([, permissions]) => permissions)];
    this.permissionsOf = new Map([...added, [ADMINISTRATOR, all] as const].map(toSet));
  }

  get names(): readonly string[] {
    return [...this.permissionsOf.keys()];
  }

  /** Whether any role grants a permission. */
  isKnownPermission(permission: Permission): boolean {
    return this.grant([ADMINISTRATOR], [permission]);
  }

  /**
   * The roles that grant a permission which the given roles lack. A caller with the given roles must not assign or remove
   * them. Unknown roles grant nothing. `admin` exceeds every other role, even one with all permissions, because it also
   * grants permissions that are added later.
   */
  rolesExceeding(roles: readonly string[]): readonly string[] {
    return roles.includes(ADMINISTRATOR)
      ? []
      : [...this.permissionsOf].flatMap(([name, permissions]) =>
          name !== ADMINISTRATOR && this.grant(roles, [...permissions]) ? [] : [name],
        );
  }

  /** @returns whether these roles together grant all required permissions; unknown roles grant nothing */
  grant(roles: readonly string[], required: readonly Permission[]): boolean {
    return required.every((permission) =>
      roles.some((role) => this.permissionsOf.get(role)?.has(permission)),
    );
  }
}

function toSet([role, permissions]: readonly [string, readonly Permission[]]) {
  return [role, new Set(permissions)] as const;
}
