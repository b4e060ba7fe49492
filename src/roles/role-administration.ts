import { Injectable } from '@nestjs/common';

import { AuditLog, type PendingEvent } from '../audit/index.js';
import {
  ADMINISTRATOR,
  permissionList,
  type AdministrationCaller,
  type Permission,
} from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { roleName, type RoleFailures } from './role-rules.js';
import { RoleWriter, type GrantLimit, type RoleWriteResult } from './write/index.js';

export interface RoleChange {
  /** Undefined only for `admin`. */
  readonly permissions?: readonly Permission[] | undefined;
  /** Whether users with the role need a second factor. Undefined: as before, and not for a new role. */
  readonly requireSecondFactor?: boolean | undefined;
}

export type RoleRefusal = {
  readonly outcome:
    /** No role with this name is stored. */
    | 'unknown-role'
    /** The permissions of `admin` cannot be changed. */
    | 'built-in-role'
    /** The role grants permissions that the caller lacks, before or after the change. */
    | 'beyond-own-permissions'
    /** The cluster has the maximum number of stored roles. */
    | 'too-many-roles';
};

export type RoleChangeOutcome =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly failures: RoleFailures }
  | RoleRefusal;

export type RoleDeletionOutcome = { readonly outcome: 'deleted' } | RoleRefusal;

/**
 * Changes of the stored roles. A caller can change only roles within its own permissions, before and after the change. The
 * write checks that. When a method returns, no instance uses the old role.
 *
 * All methods throw NotConfirmedError.
 */
@Injectable()
export class RoleAdministration {
  constructor(
    private readonly writer: RoleWriter,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Creates a role, or replaces the role with this name, which may be a role of the code. Of `admin`, only `requireSecondFactor` can
   * be changed, by a caller who may do everything.
   */
  async put(
    actor: AdministrationCaller,
    name: string,
    { permissions, requireSecondFactor }: RoleChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RoleChangeOutcome> {
    const isAdministrator = name === ADMINISTRATOR;
    if (isBuiltIn(name) && (!isAdministrator || permissions !== undefined)) {
      return this.refuse('built-in-role', { role: name }, origin);
    }
    const failures = {
      name: roleName(name),
      permissions: isAdministrator ? undefined : permissionList(permissions),
      requireSecondFactor:
        isAdministrator && requireSecondFactor === undefined
          ? ({ code: 'missing' } as const)
          : undefined,
    };
    if (Object.values(failures).some((failure) => failure !== undefined)) {
      return { outcome: 'refused', failures };
    }
    const limit = limitOf(actor);
    if (isAdministrator && limit) {
      return this.refuse('beyond-own-permissions', { role: name }, origin);
    }
    const given = [...new Set(permissions)].toSorted();
    const role = {
      permissions: given,
      ...(requireSecondFactor === undefined ? {} : { requireSecondFactor }),
    };
    const details = { role: name, ...role };
    const result = await this.recorded(
      { type: 'role-changed', ...origin.facts, details },
      async () => this.writer.put(name, role, limit, deadline),
    );
    return result.outcome === 'changed'
      ? { outcome: 'changed' }
      : this.refusalOf(name, result, origin);
  }

  /** Deletes a stored role. A role of the code with this name applies again. Users keep the name. */
  async delete(
    actor: AdministrationCaller,
    name: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RoleDeletionOutcome> {
    if (roleName(name)) {
      return { outcome: 'unknown-role' };
    }
    if (isBuiltIn(name)) {
      return this.refuse('built-in-role', { role: name }, origin);
    }
    const result = await this.recorded(
      { type: 'role-deleted', ...origin.facts, details: { role: name } },
      async () => this.writer.delete(name, limitOf(actor), deadline),
    );
    return result.outcome === 'changed'
      ? { outcome: 'deleted' }
      : this.refusalOf(name, result, origin);
  }

  private async recorded(
    event: PendingEvent,
    change: () => Promise<RoleWriteResult>,
  ): Promise<RoleWriteResult> {
    return this.audit.recordChange([event], change, ({ outcome }) => outcome === 'changed');
  }

  private refusalOf(
    role: string,
    result: Exclude<RoleWriteResult, { readonly outcome: 'changed' }>,
    origin: Origin,
  ): RoleRefusal {
    switch (result.outcome) {
      case 'beyond':
        return this.refuse('beyond-own-permissions', { role, beyond: result.permission }, origin);
      case 'full':
        return { outcome: 'too-many-roles' };
      case 'unknown':
        return { outcome: 'unknown-role' };
    }
  }

  private refuse(
    reason: 'built-in-role' | 'beyond-own-permissions',
    details: Readonly<Record<string, string>>,
    origin: Origin,
  ): RoleRefusal {
    const event = { type: 'permission-refused', result: 'refused' } as const;
    this.audit.record({ ...event, reason, details, ...origin.facts });
    return { outcome: reason };
  }
}

/** In any case, so that no role looks like the administrator. */
function isBuiltIn(name: string): boolean {
  return name.toLowerCase() === ADMINISTRATOR;
}

/** @returns undefined for a caller who may grant everything */
function limitOf(actor: AdministrationCaller): GrantLimit | undefined {
  if (actor === 'system') {
    return undefined;
  }
  if (actor.kind === 'client') {
    return { permissions: actor.permissions };
  }
  const { scope, user } = actor;
  const isAdministrator = user.roles.includes(ADMINISTRATOR);
  if (!scope) {
    return isAdministrator ? undefined : { roles: user.roles };
  }
  return isAdministrator ? { permissions: [...scope] } : { roles: user.roles, scope: [...scope] };
}
