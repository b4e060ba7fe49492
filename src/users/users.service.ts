import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { PasswordHasher } from './password-hasher.js';
import type { ProfileChange, Registration, User, UserRecord } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { usernameDigest } from './username.js';
import { UsersStore } from './users.store.js';

/**
 * Wrong passwords for an account (OWASP ASVS 6.3.1), wherever they are tried. The account is free again when the window
 * has passed, so nobody is locked out for good.
 */
const FAILURES_PER_ACCOUNT: FailureLimit = {
  name: 'password-account',
  failures: 10,
  windowMs: 15 * 60 * 1000,
};

export type RegistrationOutcome =
  { readonly outcome: 'registered'; readonly user: User } | { readonly outcome: 'username-taken' };

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  | { readonly outcome: 'wrong' }
  | TooManyAttempts;

export type DeletionOutcome =
  { readonly outcome: 'deleted' | 'wrong-password' | 'unknown-user' } | TooManyAttempts;

/** Accounts: registration, change, deletion, and whether a password is the right one. */
@Injectable()
export class UsersService {
  private readonly logger = new Logger(UsersService.name);

  constructor(
    private readonly store: UsersStore,
    private readonly hasher: PasswordHasher,
    private readonly limiter: RateLimiter,
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
  async register(registration: Registration): Promise<RegistrationOutcome> {
    const userId = randomUUID();
    const { username } = registration;
    if (!(await this.store.claimName(username, userId))) {
      return { outcome: 'username-taken' };
    }
    let passwordHash: string;
    try {
      passwordHash = await this.hasher.hash(registration.password);
    } catch (error) {
      // If this fails, the claim runs out.
      await this.store.releaseName(username, userId).catch(() => undefined);
      throw error;
    }
    await this.store.create(userId, registration, passwordHash);
    const user = await this.completeRegistration(userId, username);
    if (user === undefined) {
      return { outcome: 'username-taken' };
    }
    return { outcome: 'registered', user };
  }

  /**
   * Whether a name and a password are right: the same answer and the same time for an unknown name and a wrong password.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError
   */
  async checkCredentials(username: string, password: Secret): Promise<CredentialCheck> {
    const subject = usernameDigest(username);
    return this.limiter.attempt<CredentialCheck>(FAILURES_PER_ACCOUNT, subject, async () => {
      const user = await this.store.findByName(username);
      const isRight = await this.hasher.verify(user?.passwordHash.reveal(), password);
      const whole = user && isRight ? await this.completed(user) : undefined;
      if (whole === undefined) {
        return { value: { outcome: 'wrong' }, result: 'failed' };
      }
      await this.renewOutdatedHash(whole, password);
      return { value: { outcome: 'right', user: whole }, result: 'reset' };
    });
  }

  /** @returns the changed user, or undefined when there is no such user any more */
  async changeProfile(userId: string, change: ProfileChange): Promise<User | undefined> {
    const isEmpty = Object.values(change).every((value) => value === undefined);
    return isEmpty ? this.store.find(userId) : this.store.update(userId, change);
  }

  /** Deletes the user for good: the name is free again, and no session of the user is accepted any more. */
  async delete(userId: string, password: Secret): Promise<DeletionOutcome> {
    const user = await this.store.find(userId);
    if (user === undefined) {
      return { outcome: 'unknown-user' };
    }
    const check = await this.checkCredentials(user.username, password);
    if (check.outcome === 'too-many-attempts') {
      return check;
    }
    if (check.outcome === 'wrong' || check.user.id !== userId) {
      return { outcome: 'wrong-password' };
    }
    if (!(await this.store.delete(check.user))) {
      return { outcome: 'wrong-password' };
    }
    // The deletion is done and confirmed. A name that stays behind is taken over by the next who wants it.
    await this.store.releaseName(user.username, user.id).catch(() => undefined);
    return { outcome: 'deleted' };
  }

  /** A user whose registration stopped before its end: the first login brings it to its end. */
  private async completed(user: UserRecord): Promise<UserRecord | undefined> {
    return user.isProvisional ? this.completeRegistration(user.id, user.username) : user;
  }

  /** For the next time: whether it works or not, this password was right. */
  private async renewOutdatedHash(user: UserRecord, password: Secret): Promise<void> {
    if (!this.hasher.isOutdated(user.passwordHash.reveal())) {
      return;
    }
    try {
      await this.store.renewHash(user, await this.hasher.hash(password));
    } catch (error) {
      this.logger.warn(`A password hash could not be renewed: ${(error as Error).message}`);
    }
  }

  private async completeRegistration(
    userId: string,
    username: string,
  ): Promise<UserRecord | undefined> {
    if (!(await this.store.confirmName(username, userId))) {
      return undefined;
    }
    const user = await this.store.confirm(userId);
    if (user === undefined) {
      throw new NotConfirmedError('the registration took longer than its user was kept');
    }
    return user;
  }
}
