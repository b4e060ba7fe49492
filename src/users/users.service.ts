import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import { NearCache } from '../near-cache/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { HashingQueue } from './hashing-queue.js';
import type { ProfileChange, Registration, User, UserChange, UserRecord } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { usernameDigest } from './username.js';
import type { ChangeOutcome } from './users.scripts.js';
import { userSubject, UsersStore, type StoredChange } from './users.store.js';

/**
 * Wrong passwords for an account (OWASP ASVS 6.3.1), wherever they are tried. The account is free again when the window
 * has passed, so nobody is locked out for good.
 */
const FAILURES_PER_ACCOUNT: FailureLimit = {
  name: 'password-account',
  failures: 10,
  windowMs: 15 * 60 * 1000,
};

/** Changes of one user that begin at the same time may come in another order; whoever comes late begins again. */
const MOST_OVERTAKEN = 20;
/** Together longer than a failover takes. */
const RELEASE_ATTEMPTS = 5;
const MOST_RELEASING = 100;
/** For what can be left undone without harm. */
const LONGEST_AFTERTHOUGHT_MS = 300;
/** For so long a repeated password change may find that it has been made already. */
const REPEATABLE_MS = 10 * 60 * 1000;

export type RegistrationOutcome =
  { readonly outcome: 'registered'; readonly user: User } | { readonly outcome: 'username-taken' };

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  | { readonly outcome: 'wrong' }
  | TooManyAttempts;

/** What a check of the own password can say besides yes. */
export type Refusal = { readonly outcome: 'wrong-password' | 'unknown-user' } | TooManyAttempts;
type OwnCheck = { readonly outcome: 'right'; readonly user: UserRecord } | Refusal;

export type DeletionOutcome = { readonly outcome: 'deleted' } | Refusal;
export type PasswordOutcome = { readonly outcome: 'changed' } | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
  /** The session that goes on. */
  readonly sessionId: string;
}

/** Accounts: registration, change, deletion, and whether a password is the right one. */
@Injectable()
export class UsersService {
  private readonly logger = new Logger(UsersService.name);
  private releasing = 0;

  constructor(
    private readonly store: UsersStore,
    private readonly hasher: HashingQueue,
    private readonly limiter: RateLimiter,
    private readonly cache: NearCache,
    private readonly clock: Clock,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  get isRegistrationOpen(): boolean {
    return this.options.isRegistrationOpen;
  }

  /**
   * The name is claimed before the password is hashed, so that a name that is taken costs nothing. A crash after any
   * step leaves either a claim that runs out or a user whose first login completes the registration.
   *
   * @throws HashingOverloadedError, NotConfirmedError
   */
  async register(registration: Registration, deadline: Deadline): Promise<RegistrationOutcome> {
    const userId = randomUUID();
    const { username } = registration;
    try {
      if (!(await this.store.claimName(username, userId, deadline))) {
        return { outcome: 'username-taken' };
      }
      const passwordHash = await this.hasher.hash(registration.password, deadline);
      await this.store.create(userId, registration, passwordHash, deadline);
    } catch (error) {
      // Not awaited: the caller has waited long enough.
      void this.releaseClaim(username, userId);
      throw error;
    }
    const user = await this.completeRegistration(userId, username, deadline);
    if (user === undefined) {
      return { outcome: 'username-taken' };
    }
    return { outcome: 'registered', user };
  }

  /**
   * Whether a name and a password are right: the same answer and the same time for an unknown name and a wrong password.
   *
   * @param passwords of several, one has to be right
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError
   */
  async checkCredentials(
    username: string,
    deadline: Deadline,
    ...passwords: [Secret, ...Secret[]]
  ): Promise<CredentialCheck> {
    const subject = usernameDigest(username);
    return this.limiter.attempt<CredentialCheck>(
      FAILURES_PER_ACCOUNT,
      subject,
      deadline,
      async () => {
        const user = await this.store.findByName(username, deadline);
        const right = await this.firstRight(user?.passwordHash.reveal(), passwords, deadline);
        const whole = user && right ? await this.completed(user, deadline) : undefined;
        // Also a disabled user's right password counts as a failure: it must not be told from a wrong one.
        if (!whole || !right || whole.isDisabled) {
          return { value: { outcome: 'wrong' }, result: 'failed' };
        }
        await this.renewOutdatedHash(whole, right, deadline);
        return { value: { outcome: 'right', user: whole }, result: 'reset' };
      },
    );
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.store.find(userId, deadline);
  }

  /**
   * The ids of all users, also of those whose registration is not complete, or who were deleted a moment ago. For
   * operators' work, not for requests: it looks at every key there is.
   *
   * @throws RedisUnavailableError, MissingRightError
   */
  async allIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.store.ids(deadline);
  }

  /**
   * Changes the own profile. A new e-mail address ends all other sessions (OWASP ASVS 7.4.3).
   *
   * @returns the changed user, or undefined when there is no such user any more
   */
  async changeProfile(
    userId: string,
    change: ProfileChange,
    sessionId: string,
    deadline: Deadline,
  ): Promise<User | undefined> {
    if (change.email === undefined) {
      return this.change(userId, change, deadline);
    }
    const user = await this.store.find(userId, deadline);
    const isNewAddress = user !== undefined && user.email !== change.email;
    const endOthers = isNewAddress ? { exceptSessionId: sessionId } : undefined;
    return this.change(userId, change, deadline, endOthers);
  }

  /**
   * Changes what an administrator may change. New roles and the disabled state hold for every token, on every instance,
   * when it returns.
   *
   * @param endOthers ends all sessions but this one as well
   * @returns the changed user, or undefined when there is no such user
   * @throws NotConfirmedError
   */
  async change(
    userId: string,
    change: UserChange,
    deadline: Deadline,
    endOthers?: { readonly exceptSessionId: string },
  ): Promise<UserRecord | undefined> {
    const { roles, disabled, ...profile } = change;
    const fields: Record<string, string | number> = {
      ...(roles === undefined ? {} : { roles: JSON.stringify([...new Set(roles)]) }),
      ...(disabled === undefined ? {} : { disabled: disabled ? 1 : 0 }),
    };
    for (const [name, value] of Object.entries<string | null | undefined>(profile)) {
      if (value !== undefined) {
        fields[name] = value ?? '';
      }
    }
    if (Object.keys(fields).length === 0) {
      return this.store.find(userId, deadline);
    }
    const endsSessions = disabled === true || endOthers !== undefined;
    const result = await this.changeEverywhere(
      userId,
      { fields, endsSessions, ...endOthers },
      deadline,
    );
    return result.outcome === 'changed' ? result.user : undefined;
  }

  /**
   * Gives the user a new password and ends all sessions but one. Repeating a change that was not confirmed is no mistake,
   * though the current password is the new one by then.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError
   */
  async changePassword(
    userId: string,
    change: PasswordChange,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    const check = await this.checkPassword(userId, deadline, change.current, change.next);
    if (check.outcome !== 'right') {
      return check;
    }
    const { user } = check;
    const passwordHash = await this.hasher.hash(change.next, deadline);
    const stored = {
      fields: { passwordHash, passwordVersion: user.passwordVersion + 1 },
      passwordVersion: user.passwordVersion,
      endsSessions: true,
      exceptSessionId: change.sessionId,
    };
    const result = await this.changeEverywhere(userId, stored, deadline);
    return { outcome: result.outcome === 'changed' ? 'changed' : 'wrong-password' };
  }

  /**
   * Ends all sessions of a user, everywhere.
   *
   * @param exceptSessionId one that goes on
   * @returns whether there is such a user
   * @throws NotConfirmedError
   */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const change = { endsSessions: true, exceptSessionId };
    return (await this.changeEverywhere(userId, change, deadline)).outcome === 'changed';
  }

  /**
   * Deletes the own user for good: the name is free again, and no session of the user is accepted any more.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError
   */
  async deleteOwn(userId: string, password: Secret, deadline: Deadline): Promise<DeletionOutcome> {
    const check = await this.checkPassword(userId, deadline, password);
    if (check.outcome !== 'right') {
      return check;
    }
    const { user } = check;
    const isDeleted = await this.deleteEverywhere(user, user.passwordVersion, deadline);
    return { outcome: isDeleted ? 'deleted' : 'wrong-password' };
  }

  /** Deletes a user without asking for the password. @returns whether there was one @throws NotConfirmedError */
  async delete(userId: string, deadline: Deadline): Promise<boolean> {
    const user = await this.store.find(userId, deadline);
    if (user === undefined) {
      // Deleted a moment ago, perhaps by a call that could not tell everybody.
      await this.cache.settle(userSubject(userId), deadline);
      return false;
    }
    return this.deleteEverywhere(user, undefined, deadline);
  }

  /** So that whoever repeats the registration need not wait for the claim to run out. */
  private async releaseClaim(username: string, userId: string): Promise<void> {
    if (this.releasing >= MOST_RELEASING) {
      return; // it runs out by itself
    }
    this.releasing += 1;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      try {
        await this.store.releaseClaim(username, userId, Deadline.none);
        break;
      } catch {
        // Each attempt has taken as long as Redis is waited for.
      }
    }
    this.releasing -= 1;
  }

  private async changeEverywhere(
    userId: string,
    change: StoredChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    for (let attempt = 0; attempt < MOST_OVERTAKEN; attempt += 1) {
      const result = await this.cache.change(
        userSubject(userId),
        async (sequence) => this.store.change(userId, change, sequence, deadline),
        deadline,
      );
      if (result.outcome !== 'overtaken') {
        return result;
      }
    }
    throw new NotConfirmedError('too many others change this user at the same time');
  }

  private async deleteEverywhere(
    user: UserRecord,
    passwordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const isDeleted = await this.cache.change(
      userSubject(user.id),
      async () => this.store.delete(user.id, passwordVersion, deadline),
      deadline,
    );
    if (isDeleted) {
      // The deletion is done and confirmed. A name that stays behind is taken over by the next who wants it.
      await this.store
        .releaseName(user.username, user.id, deadline.within(LONGEST_AFTERTHOUGHT_MS))
        .catch(() => undefined);
    }
    return isDeleted;
  }

  /**
   * Whether a password is the user's, counted with the logins.
   *
   * @param repeated another one that is as good, if the user was changed a moment ago
   */
  private async checkPassword(
    userId: string,
    deadline: Deadline,
    password: Secret,
    repeated?: Secret,
  ): Promise<OwnCheck> {
    const user = await this.store.find(userId, deadline);
    if (user === undefined) {
      // Deleted a moment ago, perhaps by a call that could not tell everybody.
      await this.cache.settle(userSubject(userId), deadline);
      return { outcome: 'unknown-user' };
    }
    const wasChanged = this.clock.now() - user.updatedAt.getTime() < REPEATABLE_MS;
    const check = await this.checkCredentials(
      user.username,
      deadline,
      password,
      ...(repeated && wasChanged ? [repeated] : []),
    );
    switch (check.outcome) {
      case 'too-many-attempts':
        return check;
      case 'wrong':
        return { outcome: 'wrong-password' };
      case 'right':
        return check.user.id === userId ? check : { outcome: 'wrong-password' };
    }
  }

  private async firstRight(
    hash: string | undefined,
    passwords: readonly Secret[],
    deadline: Deadline,
  ): Promise<Secret | undefined> {
    for (const password of passwords) {
      if (await this.hasher.verify(hash, password, deadline)) {
        return password;
      }
    }
    return undefined;
  }

  /** A user whose registration stopped before its end: the first login brings it to its end. */
  private async completed(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    return user.isProvisional ? this.completeRegistration(user.id, user.username, deadline) : user;
  }

  /** For the next time: whether it works or not, this password was right. */
  private async renewOutdatedHash(
    user: UserRecord,
    password: Secret,
    deadline: Deadline,
  ): Promise<void> {
    if (!this.hasher.isOutdated(user.passwordHash.reveal())) {
      return;
    }
    try {
      const hash = await this.hasher.hash(password, deadline);
      await this.store.renewHash(user, hash, deadline.within(LONGEST_AFTERTHOUGHT_MS));
    } catch (error) {
      this.logger.warn(`A password hash could not be renewed: ${(error as Error).message}`);
    }
  }

  private async completeRegistration(
    userId: string,
    username: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    if (!(await this.store.confirmName(username, userId, deadline))) {
      return undefined;
    }
    const user = await this.store.confirm(userId, deadline);
    if (user === undefined) {
      throw new NotConfirmedError('the registration took longer than its user was kept');
    }
    return user;
  }
}
