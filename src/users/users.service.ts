import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import { ADMINISTRATOR } from './roles.js';
import { ACCOUNTS, type Accounts, type ChangeOutcome } from './store/accounts.js';
import { Credentials, type Refusal } from './passwords/credentials.js';
import { HashingQueue } from './passwords/hashing-queue.js';
import type { ProfileChange, Registration, User, UserRecord } from './user.js';
import { UserRecords } from './store/user-records.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { canonicalUsername, displayedUsername } from './username.js';

/** A login is proof of who it is for so long (OWASP ASVS 7.5.1). */
const RECENT_LOGIN_MS = 10 * 60 * 1000;

export type RegistrationOutcome =
  { readonly outcome: 'registered'; readonly user: User } | { readonly outcome: 'username-taken' };

export type ProfileOutcome =
  | { readonly outcome: 'changed'; readonly user: User }
  | { readonly outcome: 'reauthentication-required' }
  | Refusal;
export type DeletionOutcome =
  { readonly outcome: 'deleted' } | { readonly outcome: 'last-administrator' } | Refusal;
export type PasswordOutcome = { readonly outcome: 'changed' } | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
  /** The session that goes on. */
  readonly sessionId: string;
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
    return this.isReserved(registration.username)
      ? { outcome: 'username-taken' }
      : this.add(registration, [], deadline);
  }

  /** Makes an administrator, also of the name that nobody else may register. */
  async registerAdministrator(
    registration: Registration,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    return this.add(registration, [ADMINISTRATOR], deadline);
  }

  private async add(
    { username, password, email, displayName }: Registration,
    roles: readonly string[],
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const user = await this.accounts.create(
      {
        id: randomUUID(),
        username: displayedUsername(username),
        usernameKey: canonicalUsername(username),
        email: email ?? null,
        displayName: displayName ?? null,
        roles,
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
   * Changes the own profile. A new e-mail address ends all other sessions (OWASP ASVS 7.4.3), and needs the current password
   * or a login a short while ago (7.5.1).
   *
   * @param currentPassword looked at for a new e-mail address only; a wrong one is counted as at a login
   */
  async changeProfile(
    { userId, sessionId, user }: Principal,
    change: ProfileChange,
    currentPassword: Secret | undefined,
    deadline: Deadline,
  ): Promise<ProfileOutcome> {
    const { email, displayName } = change;
    // New is what sessions have not heard of: the store may have it from a call that was not confirmed.
    const isNewAddress = email !== undefined && email !== user.email;
    if (email === undefined && displayName === undefined) {
      const found = await this.accounts.find(userId, deadline);
      return found ? { outcome: 'changed', user: found } : { outcome: 'unknown-user' };
    }
    if (!isNewAddress) {
      return outcomeOf(await this.accounts.update(userId, { email, displayName }, deadline));
    }
    const proof = await this.prove({ userId, sessionId }, currentPassword, deadline);
    if (proof.outcome !== 'proven') {
      return proof;
    }
    const { ifPasswordVersion } = proof;
    const effect = { ifPasswordVersion, endsSessions: true, exceptSessionId: sessionId };
    return outcomeOf(
      await this.accounts.update(userId, { email, displayName, ...effect }, deadline),
    );
  }

  /**
   * Gives the user a new password and ends all sessions but one. Repeating a change that was not confirmed is no mistake,
   * though the current password is the new one by then.
   */
  async changePassword(
    userId: string,
    { current, next, sessionId }: PasswordChange,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
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
    const result = await this.accounts.endSessions(userId, { exceptSessionId }, deadline);
    return result.outcome === 'ended';
  }

  /**
   * Whether the caller has shown a moment ago who it is.
   *
   * @returns the age of the session is that of its login; a refresh does not make it younger
   */
  async isLoginRecent(
    { userId, sessionId }: Pick<Principal, 'userId' | 'sessionId'>,
    deadline: Deadline,
  ): Promise<boolean> {
    const ageMs = await this.records.sessionAgeMs(userId, sessionId, deadline);
    return ageMs !== undefined && ageMs <= RECENT_LOGIN_MS;
  }

  /** Deletes the own user for good: the name is free again, and no session of the user is accepted any more. */
  async deleteOwn(userId: string, password: Secret, deadline: Deadline): Promise<DeletionOutcome> {
    const check = await this.credentials.checkOwn(userId, deadline, password);
    if (check.outcome !== 'right') {
      return check;
    }
    const { passwordVersion: ifPasswordVersion } = check.user;
    const { outcome } = await this.accounts.remove(userId, { ifPasswordVersion }, deadline);
    switch (outcome) {
      case 'removed':
        return { outcome: 'deleted' };
      case 'last-administrator':
        return { outcome };
      case 'unknown':
        return { outcome: 'unknown-user' };
      case 'outdated':
      case 'protected':
        return { outcome: 'wrong-password' };
    }
  }

  private async prove(
    session: Pick<Principal, 'userId' | 'sessionId'>,
    currentPassword: Secret | undefined,
    deadline: Deadline,
  ): Promise<
    | { readonly outcome: 'proven'; readonly ifPasswordVersion?: number }
    | { readonly outcome: 'reauthentication-required' }
    | Refusal
  > {
    if (currentPassword === undefined) {
      const isRecent = await this.isLoginRecent(session, deadline);
      return { outcome: isRecent ? 'proven' : 'reauthentication-required' };
    }
    const check = await this.credentials.checkOwn(session.userId, deadline, currentPassword);
    return check.outcome === 'right'
      ? { outcome: 'proven', ifPasswordVersion: check.user.passwordVersion }
      : check;
  }

  private isReserved(username: string): boolean {
    const { administrator } = this.options;
    return (
      administrator !== undefined &&
      canonicalUsername(administrator.username) === canonicalUsername(username)
    );
  }
}

function outcomeOf(result: ChangeOutcome): ProfileOutcome {
  switch (result.outcome) {
    case 'changed':
      return { outcome: 'changed', user: result.user };
    case 'outdated':
      return { outcome: 'wrong-password' };
    case 'last-administrator':
    case 'protected':
    case 'unknown':
      return { outcome: 'unknown-user' };
  }
}
