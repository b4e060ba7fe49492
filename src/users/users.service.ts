import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { PasswordHasher } from './password-hasher.js';
import type { ProfileChange, Registration, User, UserRecord } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { UsersStore } from './users.store.js';

export type RegistrationOutcome =
  { readonly outcome: 'registered'; readonly user: User } | { readonly outcome: 'username-taken' };

export type DeletionOutcome = 'deleted' | 'wrong-password' | 'unknown-user';

/** Accounts: registration, change, deletion, and whether a password is the right one. */
@Injectable()
export class UsersService {
  constructor(
    private readonly store: UsersStore,
    private readonly hasher: PasswordHasher,
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
      await this.store.releaseName(username, userId);
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
   * The user of a name and password, or undefined: the same answer and the same time for an unknown name and a wrong
   * password.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError
   */
  async findByCredentials(username: string, password: Secret): Promise<UserRecord | undefined> {
    const user = await this.store.findByName(username);
    const isRight = await this.hasher.verify(user?.passwordHash.reveal(), password);
    if (user === undefined || !isRight) {
      return undefined;
    }
    if (this.hasher.isOutdated(user.passwordHash.reveal())) {
      await this.store.renewHash(user, await this.hasher.hash(password));
    }
    return user.isProvisional ? this.completeRegistration(user.id, username) : user;
  }

  /** @returns the changed user, or undefined when there is no such user any more */
  async changeProfile(userId: string, change: ProfileChange): Promise<User | undefined> {
    return this.store.update(userId, change);
  }

  /** Deletes the user for good: the name is free again, and no session of the user is accepted any more. */
  async delete(userId: string, password: Secret): Promise<DeletionOutcome> {
    const user = await this.store.find(userId);
    if (user === undefined) {
      return 'unknown-user';
    }
    if (!(await this.hasher.verify(user.passwordHash.reveal(), password))) {
      return 'wrong-password';
    }
    if (!(await this.store.delete(user))) {
      return 'wrong-password'; // changed between the check and the deletion
    }
    await this.store.releaseName(user.username, user.id);
    return 'deleted';
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
