import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { UserPrincipal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  SensitiveChanges,
  type ChangingUser,
  type ReauthenticationRequired,
  type Refusal,
} from '../credentials/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { CONFLICT, retryOnConflict } from '../user-slot/write/index.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { recordRefusedAdministration } from './change-events.js';
import {
  PasswordChanges,
  type PasswordChange,
  type PasswordOutcome,
  type PasswordOwner,
} from './password-changes.js';
import { ProfileChanges, type ProfileOutcome } from './profile-changes.js';
import type { ProfileChange, Registration, UserRecord } from './user.js';
import { Registrations, type RegistrationOutcome } from './registrations.js';

export type DeletionOutcome =
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'last-administrator' }
  | ReauthenticationRequired
  | Refusal;

/**
 * Changes and deletion of accounts. A change that reduces access takes effect on every instance before its method returns.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write,
 * NotConfirmedError; those that hash or check a password, HashingOverloadedError.
 */
@Injectable()
export class UsersService {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly profileChanges: ProfileChanges,
    private readonly passwordChanges: PasswordChanges,
    private readonly sensitiveChanges: SensitiveChanges,
    private readonly reader: UserReader,
    private readonly registrations: Registrations,
    private readonly audit: AuditLog,
  ) {}

  /** Registers a user, also when self-registration is closed. */
  async register(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    return this.registrations.register(registration, origin, deadline);
  }

  /** Reads a user for an administrator, and records an event. */
  async read(userId: string, origin: Origin, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await this.accounts.find(userId, deadline);
    this.audit.record({
      type: 'user-read',
      result: user ? 'success' : 'failure',
      reason: user ? undefined : 'not-found',
      userId,
      ...origin.facts,
    });
    return user;
  }

  /** Reads a user for internal use. It records no event. */
  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  /** Reads the current user to issue tokens: see `Accounts.findCurrent`. */
  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  /**
   * Applies the current state of a user in the application's `UserStore` on every instance. Call it after other software has
   * changed the user there: roles, the disabled state, the password, or a deletion.
   *
   * @returns the user, or undefined when there is none
   */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }

  /**
   * The ids of all users who can have sessions. Includes incomplete registrations and recently deleted users. It scans all
   * keys: use it for commands of operators, not in requests.
   *
   * @throws RedisUnavailableError, MissingRightError
   */
  async allIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.reader.ids(deadline);
  }

  /** Changes the caller's own profile: see `ProfileChanges`. */
  async changeProfile(
    principal: UserPrincipal,
    change: ProfileChange,
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ProfileOutcome> {
    return this.profileChanges.change(principal, change, currentPassword, origin, deadline);
  }

  /** Sets a new password and ends all sessions except one: see `PasswordChanges`. */
  async changePassword(
    owner: PasswordOwner,
    change: PasswordChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    return this.passwordChanges.change(owner, change, origin, deadline);
  }

  /**
   * Ends all sessions of a user on every instance. It records no event, because the calling operation does: see
   * `SessionsService.endAll`.
   *
   * @param exceptSessionId a session that stays live
   * @returns whether the user exists
   */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const result = await this.accounts.endSessions(userId, { exceptSessionId }, deadline);
    return result.outcome === 'ended';
  }

  /** Deletes the caller's own user permanently. The name becomes free, and all sessions of the user end. */
  async deleteOwn(
    owner: ChangingUser,
    password: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<DeletionOutcome> {
    const { userId } = owner;
    return retryOnConflict(async () => {
      const check = await this.sensitiveChanges.checkPassword(
        owner,
        'deletion',
        origin,
        deadline,
        password,
      );
      if (check.outcome !== 'right') {
        return check;
      }
      const { passwordVersion: ifPasswordVersion } = check.user;
      const { outcome } = await this.audit.recordChange(
        [{ type: 'user-deleted', userId, ...origin.facts }],
        async () => this.accounts.remove(userId, { ifPasswordVersion }, deadline),
        (result) => result.outcome === 'removed',
      );
      switch (outcome) {
        case 'removed':
          return { outcome: 'deleted' };
        case 'last-administrator':
          recordRefusedAdministration(this.audit, userId, { reason: outcome }, origin);
          return { outcome };
        case 'unknown':
        case 'protected':
          return { outcome: 'unknown-user' };
        case 'outdated':
          return CONFLICT;
      }
    });
  }
}
