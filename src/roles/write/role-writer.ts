import { Injectable } from '@nestjs/common';

import type { Permission } from '../../common/authentication/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { CHANGE_NUMBER, NearCache } from '../../near-cache/index.js';
import { LuaScript, NotConfirmedError, RedisCluster } from '../../redis-cluster/index.js';
import { RoleReader, rolesKey, ROLES_SUBJECT, type StoredRole } from '../read/index.js';
import { MAX_STORED_ROLES } from './role-limits.js';

const load = LuaScript.loaderFor(import.meta.url);
const changeRole = load('change-role', (reply) => reply as Reply);

type Reply = ['changed' | 'overtaken' | 'unknown' | 'full'] | ['beyond', permission: string];

/** What a caller may grant: what its roles grant when the role is written, or these permissions. */
export type GrantLimit =
  | {
      readonly roles: readonly string[];
      /** Of what the roles grant, only these permissions. Absent: all. */
      readonly scope?: readonly Permission[];
    }
  | { readonly permissions: readonly Permission[] };

export interface NewRole {
  readonly permissions: readonly Permission[];
  readonly requireSecondFactor?: boolean | undefined;
}

export type RoleWriteResult =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'unknown' | 'full' }
  /** The role grants this permission before or after the change, and the caller lacks it. */
  | { readonly outcome: 'beyond'; readonly permission: Permission };

/**
 * Stores and deletes roles. When a method returns, no instance uses the old role.
 *
 * All methods throw NotConfirmedError. They take what limits the change: the roles of a caller, or its permissions; undefined
 * for a caller without a limit.
 */
@Injectable()
export class RoleWriter {
  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly reader: RoleReader,
  ) {}

  /**
   * Stores a role. It replaces the role with this name.
   *
   * @param role without `requireSecondFactor`, the stored value remains
   */
  async put(
    name: string,
    role: NewRole,
    limit: GrantLimit | undefined,
    deadline: Deadline,
  ): Promise<RoleWriteResult> {
    const { permissions, requireSecondFactor } = role;
    const free: StoredRole = { permissions };
    const strict: StoredRole = { permissions, requireSecondFactor: true };
    return this.change(
      name,
      JSON.stringify(requireSecondFactor ? strict : free),
      JSON.stringify(requireSecondFactor === false ? free : strict),
      limit,
      deadline,
    );
  }

  /** Deletes a stored role. If the code has a role with this name, it applies again. */
  async delete(
    name: string,
    limit: GrantLimit | undefined,
    deadline: Deadline,
  ): Promise<RoleWriteResult> {
    return this.change(name, '', '', limit, deadline);
  }

  private async change(
    name: string,
    value: string,
    valueIfStrict: string,
    limit: GrantLimit | undefined,
    deadline: Deadline,
  ): Promise<RoleWriteResult> {
    const write = {
      script: changeRole,
      keys: [rolesKey(this.redis.keys, 'set')],
      args: [
        // It makes the script idempotent.
        CHANGE_NUMBER,
        name,
        value,
        limit ? JSON.stringify(limit) : '',
        JSON.stringify(this.reader.ofCode),
        MAX_STORED_ROLES,
        valueIfStrict,
      ],
    } as const;
    const [outcome, permission = ''] = await this.cache.changeInSlot(
      ROLES_SUBJECT,
      write,
      deadline,
    );
    switch (outcome) {
      case 'overtaken':
        throw new NotConfirmedError('another change of the roles was made at the same time');
      case 'beyond':
        return { outcome, permission };
      case 'changed':
      case 'unknown':
      case 'full':
        return { outcome };
    }
  }
}
