import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { Credentials, type Refusal } from './passwords/credentials.js';
import { HashingQueue } from './passwords/hashing-queue.js';
import { checkPassword, type PasswordContext } from './passwords/password-policy.js';
import type { ProfileChange, Registration, User, UserChange, UserRecord } from './user.js';
import { UserRecords } from './store/user-records.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from './users.options.js';
import { canonicalUsername, checkUsername, displayedUsername } from './names/username.js';

export type RegistrationOutcome =
  | { readonly outcome: 'registered'; readonly user: User }
  | { readonly outcome: 'username-taken' }
  | { readonly outcome: 'refused'; readonly failures: RegistrationFailures };

/** What is wrong with a registration; undefined: nothing. */
export interface RegistrationFailures {
  readonly username: RuleFailure | undefined;
  readonly password: RuleFailure | undefined;
}

export type DeletionOutcome = { readonly outcome: 'deleted' } | Refusal;
export type PasswordOutcome =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly failure: RuleFailure }
  | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
  /** The session that goes on. */
  readonly sessionId: string;
  /** Whose password it is, to refuse one that is made of it. */
  readonly user: Pick<User, 'username' | 'email'>;
}

/**
 * Accounts: registration, change and deletion. Whatever narrows what a user may do holds on every instance when it returns.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write,
 * NotConfirmedError; those that hash or check a password, HashingOverloadedError.
 */
@Injectable()
export class UsersService {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly credentials: Credentials,
    private readonly hasher: HashingQueue,
    private readonly records: UserRecords,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  get isRegistrationOpen(): boolean {
    return this.options.isRegistrationOpen;
  }

  async register(registration: Registration, deadline: Deadline): Promise<RegistrationOutcome> {
    const { username, password, email, displayName, roles } = registration;
    const failures = {
      username: checkUsername(username),
      password: this.checkPassword(password, { username, email }),
    };
    if (failures.username || failures.password) {
      return { outcome: 'refused', failures };
    }
    const user = await this.accounts.create(
      {
        id: randomUUID(),
        username: displayedUsername(username),
        usernameKey: canonicalUsername(username),
        email: email ?? null,
        displayName: displayName ?? null,
        roles: roles ?? [],
      },
      async () => new Secret(await this.hasher.hash(password, deadline)),
      deadline,
    );
    return user ? { outcome: 'registered', user } : { outcome: 'username-taken' };
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  /** The user as it is now, after sessions have been told of what is new. For the moments when tokens are made. */
  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  /**
   * Makes hold on every instance what a store of the application's own says of a user, after somebody else has changed it
   * there: new roles, the disabled state, a new password, a deletion.
   *
   * @returns the user, or undefined when there is none
   */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }

  /**
   * The ids of all users who can have sessions, also of those whose registration is not complete, or who were deleted a
   * moment ago. For operators' work, not for requests: it looks at every key there is.
   *
   * @throws RedisUnavailableError, MissingRightError
   */
  async allIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.records.ids(deadline);
  }

  /**
   * Changes the own profile. A new e-mail address ends all other sessions (OWASP ASVS 7.4.3).
   *
   * @returns the changed user, or undefined when there is no such user any more
   */
  async changeProfile(
    { userId, sessionId, user }: Principal,
    change: ProfileChange,
    deadline: Deadline,
  ): Promise<User | undefined> {
    // New is what sessions have not heard of: the store may have it from a call that was not confirmed.
    const isNewAddress = change.email !== undefined && change.email !== user.email;
    const endOthers = isNewAddress ? { exceptSessionId: sessionId } : undefined;
    return this.change(userId, change, deadline, endOthers);
  }

  /**
   * Changes what an administrator may change.
   *
   * @param endOthers ends all sessions but this one as well
   * @returns the changed user, or undefined when there is no such user
   */
  async change(
    userId: string,
    { roles, disabled, email, displayName }: UserChange,
    deadline: Deadline,
    endOthers?: { readonly exceptSessionId: string },
  ): Promise<UserRecord | undefined> {
    const change = {
      email,
      displayName,
      roles: roles && [...new Set(roles)],
      isDisabled: disabled,
    };
    if (Object.values(change).every((value) => value === undefined)) {
      return this.accounts.find(userId, deadline);
    }
    const effect = { endsSessions: endOthers !== undefined, ...endOthers };
    const result = await this.accounts.update(userId, { ...change, ...effect }, deadline);
    return result.outcome === 'changed' ? result.user : undefined;
  }

  /**
   * Gives the user a new password and ends all sessions but one. Repeating a change that was not confirmed is no mistake,
   * though the current password is the new one by then.
   */
  async changePassword(
    userId: string,
    { current, next, sessionId, user }: PasswordChange,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    const { username, email } = user;
    const failure = this.checkPassword(next, { username, email: email ?? undefined });
    if (failure) {
      return { outcome: 'refused', failure };
    }
    const check = await this.credentials.checkOwn(userId, deadline, current, next);
    if (check.outcome !== 'right') {
      return check;
    }
    const { passwordVersion } = check.user;
    const hash = new Secret(await this.hasher.hash(next, deadline));
    const change = {
      password: { hash, version: passwordVersion + 1 },
      ifPasswordVersion: passwordVersion,
      endsSessions: true,
      exceptSessionId: sessionId,
    };
    const { outcome } = await this.accounts.update(userId, change, deadline);
    return { outcome: outcome === 'changed' ? 'changed' : 'wrong-password' };
  }

  /**
   * Ends all sessions of a user, everywhere.
   *
   * @param exceptSessionId one that goes on
   * @returns whether there is such a user
   */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    return this.accounts.endSessions(userId, exceptSessionId, deadline);
  }

  /** Deletes the own user for good: the name is free again, and no session of the user is accepted any more. */
  async deleteOwn(userId: string, password: Secret, deadline: Deadline): Promise<DeletionOutcome> {
    const check = await this.credentials.checkOwn(userId, deadline, password);
    if (check.outcome !== 'right') {
      return check;
    }
    const { passwordVersion } = check.user;
    if (await this.accounts.remove(userId, passwordVersion, deadline)) {
      return { outcome: 'deleted' };
    }
    const isThere = (await this.accounts.find(userId, deadline)) !== undefined;
    return { outcome: isThere ? 'wrong-password' : 'unknown-user' };
  }

  /** Deletes a user without asking for the password. @returns whether there was one */
  async delete(userId: string, deadline: Deadline): Promise<boolean> {
    if ((await this.accounts.find(userId, deadline)) === undefined) {
      // Deleted a moment ago, perhaps by a call that could not tell everybody.
      await this.accounts.reload(userId, deadline);
      return false;
    }
    return this.accounts.remove(userId, undefined, deadline);
  }

  private checkPassword(password: Secret, context: PasswordContext): RuleFailure | undefined {
    const minLength = this.options.passwordMinLength ?? USERS_DEFAULTS.passwordMinLength;
    return checkPassword(password.reveal(), minLength, context);
  }
}
