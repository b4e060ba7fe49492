import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import {
  ADMINISTRATOR,
  type AdministrationCaller,
  type UserPrincipal,
} from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { SensitiveChanges } from '../credentials/index.js';
import { RoleReader } from '../roles/read/index.js';
import { recordRefusedAdministration } from './change-events.js';
import { ACCOUNTS, type Accounts, type Unwritten } from './store/accounts.js';
import type { AdministrationRefusal } from './user-administration.outcomes.js';
import type { UserRecord } from './user.js';

interface RecordedRefusal {
  readonly outcome: Exclude<AdministrationRefusal['outcome'], 'unknown-user'>;
}

export interface Authority {
  /** Roles that have permissions which the caller lacks. */
  readonly beyond: readonly string[];
  /** The caller, who is the user. */
  readonly self?: UserPrincipal;
  /** The caller, who is an administrator. */
  readonly knownAdministratorId?: string;
}

/** What a caller may do to a user, and the refusals, which are recorded. */
@Injectable()
export class AdministrationAuthority {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly roles: RoleReader,
    private readonly sensitiveChanges: SensitiveChanges,
    private readonly audit: AuditLog,
  ) {}

  async over(actor: AdministrationCaller, userId: string, deadline: Deadline): Promise<Authority> {
    if (actor === 'system') {
      return { beyond: [] };
    }
    const isUser = actor.kind === 'user';
    const self = isUser && actor.userId === userId ? { self: actor } : {};
    if (isUser && !actor.scope && actor.user.roles.includes(ADMINISTRATOR)) {
      return { beyond: [], knownAdministratorId: actor.userId, ...self };
    }
    const roles = await this.roles.current(deadline);
    return { beyond: roles.rolesBeyond(roles.allowedTo(actor)), ...self };
  }

  /** Callers change their own account here as at the routes of `/api/user`. */
  refusalOfOwn(self: UserPrincipal): RecordedRefusal | undefined {
    if (self.scope) {
      return { outcome: 'unlimited-token-required' };
    }
    const isRecent = this.sensitiveChanges.isLoginRecent(self);
    return isRecent ? undefined : { outcome: 'reauthentication-required' };
  }

  /** Reads a user whose roles have no permissions that the caller lacks. */
  async findWithin(
    beyond: readonly string[],
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<{ readonly outcome: 'found'; readonly user: UserRecord } | AdministrationRefusal> {
    const user = await this.accounts.find(userId, deadline);
    const role = user?.roles.find((name) => beyond.includes(name));
    if (role !== undefined) {
      return this.refuseBeyond(userId, role, origin);
    }
    return user ? { outcome: 'found', user } : { outcome: 'unknown-user' };
  }

  refusalOf(userId: string, result: Unwritten, origin: Origin): AdministrationRefusal {
    switch (result.outcome) {
      case 'protected':
        return this.refuseBeyond(userId, result.role, origin);
      case 'last-administrator':
        return this.refuse(userId, { outcome: 'last-administrator' }, origin);
      case 'outdated':
      case 'unknown':
        return { outcome: 'unknown-user' };
    }
  }

  refuseBeyond(userId: string, role: string, origin: Origin): AdministrationRefusal {
    return this.refuse(userId, { outcome: 'beyond-own-permissions' }, origin, { beyond: role });
  }

  refuse(
    userId: string,
    refusal: RecordedRefusal,
    origin: Origin,
    details?: Readonly<Record<string, unknown>>,
  ): AdministrationRefusal {
    const reason = refusal.outcome;
    recordRefusedAdministration(
      this.audit,
      userId,
      details ? { reason, details } : { reason },
      origin,
    );
    return refusal;
  }
}
