import { PERMISSIONS, type Permission } from './permissions.js';
import type { Principal } from './principal.js';

export interface RolesOptions {
  /**
   * Roles besides `admin`, and the permissions that each one grants: those of Keyslot's routes, and any that routes of the
   * application require. A role that is stored in the cluster replaces the role with the same name. Default: none.
   */
  readonly roles?: Readonly<Record<string, readonly Permission[]>>;
}

/** Grants every permission. Built in: neither the code nor the cluster can redefine it. */
export const ADMINISTRATOR = 'admin';

/** Where a role is defined: in Keyslot, in the code of the application, or in the cluster. */
export type RoleSource = 'built-in' | 'code' | 'stored';

export interface Role {
  readonly name: string;
  /** Sorted. For `admin`: all permissions that are known. */
  readonly permissions: readonly Permission[];
  /** Whether users with the role need a second factor. */
  readonly requireSecondFactor: boolean;
  readonly source: RoleSource;
}

/**
 * The roles that a user can have, and their permissions: `admin`, the roles of the code, and the roles that are stored in the
 * cluster. A stored role replaces a role of the code. Immutable: `RoleReader` returns the current roles.
 */
export class Roles {
  private readonly permissionsOf: ReadonlyMap<string, ReadonlySet<Permission>>;
  private readonly stored: ReadonlySet<string>;

  /** @param withSecondFactor the stored roles whose users need a second factor. `admin` can be one of them */
  constructor(
    { roles = {} }: RolesOptions = {},
    stored: ReadonlyMap<string, readonly Permission[]> = new Map(),
    private readonly withSecondFactor: ReadonlySet<string> = new Set(),
  ) {
    if (ADMINISTRATOR in roles) {
      throw new Error(
        `the role '${ADMINISTRATOR}' grants every permission and cannot be redefined`,
      );
    }
    const added = new Map([...Object.entries(roles), ...stored]);
    added.delete(ADMINISTRATOR);
    const all = [...PERMISSIONS, ...[...added.values()].flat()];
    this.permissionsOf = new Map([...added, [ADMINISTRATOR, all] as const].map(toSet));
    this.stored = new Set(stored.keys());
  }

  get names(): readonly string[] {
    return [...this.permissionsOf.keys()];
  }

  /** All roles, sorted by name. */
  get list(): readonly Role[] {
    return [...this.permissionsOf.keys()].toSorted().flatMap((name) => this.find(name) ?? []);
  }

  find(name: string): Role | undefined {
    const permissions = this.permissionsOf.get(name);
    return (
      permissions && {
        name,
        permissions: [...permissions].toSorted(),
        requireSecondFactor: this.withSecondFactor.has(name),
        source: this.sourceOf(name),
      }
    );
  }

  /** Whether a route of Keyslot requires a permission, or a role other than `admin` grants it. */
  isKnownPermission(permission: Permission): boolean {
    return this.permissionsOf.get(ADMINISTRATOR)?.has(permission) === true;
  }

  /**
   * The roles that grant a permission which is not among the given ones. A caller with the given permissions must not assign or
   * remove them. `admin` exceeds every list, because it also grants permissions that are added later.
   *
   * @param permissions undefined for every permission
   */
  rolesBeyond(permissions: readonly Permission[] | undefined): readonly string[] {
    if (!permissions) {
      return [];
    }
    const granted = new Set(permissions);
    return [...this.permissionsOf].flatMap(([name, needed]) =>
      name !== ADMINISTRATOR && [...needed].every((one) => granted.has(one)) ? [] : [name],
    );
  }

  /** Whether one of these roles requires a second factor. */
  requireSecondFactor(roles: readonly string[]): boolean {
    const { withSecondFactor } = this;
    return withSecondFactor.size > 0 && roles.some((role) => withSecondFactor.has(role));
  }

  /** @returns what a caller may do now, within the scope of its token; undefined for every permission */
  allowedTo(caller: Principal): readonly Permission[] | undefined {
    if (caller.kind === 'client') {
      return caller.permissions;
    }
    const { scope } = caller;
    const granted = this.grantedBy(caller.user.roles);
    return scope ? (granted?.filter((one) => scope.has(one)) ?? [...scope]) : granted;
  }

  /** @returns the permissions that these roles grant together, sorted; undefined for every permission */
  grantedBy(roles: readonly string[]): readonly Permission[] | undefined {
    const all = roles.flatMap((role) => [...(this.permissionsOf.get(role) ?? [])]);
    return roles.includes(ADMINISTRATOR) ? undefined : [...new Set(all)].toSorted();
  }

  /** @returns whether these roles together grant all required permissions; unknown roles grant nothing */
  grant(roles: readonly string[], required: readonly Permission[]): boolean {
    return (
      roles.includes(ADMINISTRATOR) ||
      required.every((permission) =>
        roles.some((role) => this.permissionsOf.get(role)?.has(permission)),
      )
    );
  }

  private sourceOf(name: string): RoleSource {
    if (name === ADMINISTRATOR) {
      return 'built-in';
    }
    return this.stored.has(name) ? 'stored' : 'code';
  }
}

function toSet([role, permissions]: readonly [string, readonly Permission[]]) {
  return [role, new Set(permissions)] as const;
}
