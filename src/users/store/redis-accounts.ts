import { Injectable } from '@nestjs/common';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import { UserReader, type RedisRecord, type UserRecord } from '../../user-slot/read/index.js';
import { UserWriter } from '../../user-slot/write/index.js';
import { canonicalUsername, digestOfKey } from '../names/username.js';
import {
  IdInUseError,
  type AccountChange,
  type Accounts,
  type ChangeOutcome,
  type Conditions,
  type EndOutcome,
  type NewAccount,
  type RemovalOutcome,
} from './accounts.js';
import {
  nameKeysOf,
  skeletonKeysOf,
  UserNames,
  type NameKey,
  type NameKeys,
} from '../names/user-names.js';

/** All attempts together take longer than a failover. */
const CLEANUP_ATTEMPTS = 5;
/** With more clean-ups at the same time, each further one is tried once. */
const MAX_RETRIED_CLEANUPS = 100;
/** Timeout of optional work. */
const BEST_EFFORT_TIMEOUT_MS = 300;

/**
 * Users in Redis, in the slot of their sessions. One record contains both the user and the state that decides which sessions
 * are live. One write can therefore change the user and end the sessions.
 */
@Injectable()
export class RedisAccounts implements Accounts {
  private cleaning = 0;

  constructor(
    private readonly names: UserNames,
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /**
   * Claims the name before it hashes the password, then writes the user and confirms the name in parallel. A crash leaves names
   * without a user, which the next registration takes over, or a user whose first login confirms the names.
   *
   * Most names equal their skeleton and need one claim. For the others, the skeleton is claimed first: equal names have equal
   * skeletons, so only one of several concurrent callers continues. The other claims are made while the password is hashed.
   */
  async create(
    user: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const keys = nameKeysOf(user.username, user.usernameKey);
    const hash = await this.claimAndHash(user, keys, passwordHash, deadline);
    return hash && this.write(user, hash, keys, deadline);
  }

  async isFree({ id, username, usernameKey }: NewAccount, deadline: Deadline): Promise<boolean> {
    const keys = nameKeysOf(username, usernameKey);
    const holders = await Promise.all(
      keys.map(async (key) => this.names.findHolder(key, deadline)),
    );
    const others = new Set(holders.filter((holder) => holder !== undefined && holder !== id));
    // A name without a user is left over from an interrupted registration or from a deleted user.
    const users = await Promise.all(
      Array.from(others, async (holder) => this.reader.findProfile(holder!, deadline)),
    );
    return users.every((user) => user === undefined);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.reader.find(userId, deadline);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.reader.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const find = await this.locate(usernameKey, deadline);
    return find();
  }

  async locate(
    usernameKey: string,
    deadline: Deadline,
  ): Promise<() => Promise<UserRecord | undefined>> {
    const found = await this.names.find(usernameKey, deadline);
    return async () => {
      // An unknown name takes the same steps, so that the response time does not reveal it (OWASP ASVS 6.3.8).
      const id = found?.userId ?? standInId(usernameKey);
      const user = await this.reader.findOrStandIn(id, deadline);
      return user && found && user.id === found.userId
        ? { ...user, isProvisional: user.isProvisional || found.isClaim }
        : undefined;
    };
  }

  /**
   * Completes an interrupted registration. For a user from before version 0.2, it claims the skeletons of the name, except
   * those that another user has.
   */
  async prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    const { isProvisional, hasSkeletons } = user as Partial<RedisRecord>;
    if (isProvisional === true) {
      const isConfirmed = await this.confirm(user.id, nameKeysOf(user.username), deadline);
      return isConfirmed ? this.writer.confirm(user.id, deadline) : undefined;
    }
    const skeletons = hasSkeletons === false ? skeletonKeysOf(user.username) : [];
    if (skeletons.length === 0) {
      return user;
    }
    await Promise.all(skeletons.map(async (key) => this.names.confirm(key, user.id, deadline)));
    return this.writer.confirm(user.id, deadline);
  }

  async update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome> {
    return this.writer.change(userId, change, deadline);
  }

  async endSessions(
    userId: string,
    conditions: Parameters<Accounts['endSessions']>[1],
    deadline: Deadline,
  ): Promise<EndOutcome> {
    const result = await this.update(userId, { ...conditions, endsSessions: true }, deadline);
    return result.outcome === 'changed' ? { outcome: 'ended' } : result;
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await this.writer.renewHash(userId, verified, renewed, deadline);
  }

  /** There is no copy to update. Only the announcement of the last change may be missing. */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    await this.reader.settle(userId, deadline);
    return this.reader.find(userId, deadline);
  }

  async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const deleted = await this.writer.delete(userId, conditions, deadline);
    if (deleted.outcome === 'removed' && deleted.username) {
      // Best effort, because the deletion is confirmed: the next registration takes over a name that was not released.
      const limited = deadline.within(BEST_EFFORT_TIMEOUT_MS);
      await Promise.allSettled(
        nameKeysOf(deleted.username).map(async (key) => this.names.release(key, userId, limited)),
      );
    }
    return deleted;
  }

  /** @returns the hash, or undefined when a name is taken */
  private async claimAndHash(
    { id: userId, isRepeated }: NewAccount,
    keys: NameKeys,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<Secret | undefined> {
    const [first, ...others] = keys;
    const claim = async (key: NameKey): Promise<boolean> => this.names.claim(key, userId, deadline);
    const release = async (): Promise<unknown> =>
      Promise.all(keys.map(async (key) => this.names.releaseClaim(key, userId, Deadline.none)));
    try {
      if (!(await claim(first))) {
        return undefined;
      }
      const work = [passwordHash(), ...others.map(claim)] as const;
      // Also if the hash fails: a claim that arrives after its release would stay.
      await Promise.allSettled(work);
      const [hash, ...claims] = await Promise.all(work);
      if (!claims.includes(false)) {
        return hash;
      }
    } catch (error) {
      if (!isRepeated) {
        void this.cleanUp(release);
      }
      throw error;
    }
    void this.cleanUp(release);
    return undefined;
  }

  /** @returns the user, or undefined when another user has got a name */
  private async write(
    user: NewAccount,
    hash: Secret,
    keys: NameKeys,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const { id } = user;
    const release = async (): Promise<unknown> =>
      Promise.all(keys.map(async (key) => this.names.release(key, id, Deadline.none)));
    const [written, isConfirmed] = await Promise.all([
      this.writer.create(user, hash, deadline),
      this.confirm(id, keys, deadline),
    ]).catch((error: unknown) => {
      // The user may have been written, and may log in.
      if (!user.isRepeated) {
        void this.cleanUp(async () => (await this.writer.prevent(id, Deadline.none)) && release());
      }
      throw error;
    });
    // A repeated import may have another spelling of the name.
    const isOwn =
      written?.username === user.username ||
      (written && canonicalUsername(written.username) === user.usernameKey);
    const created = isOwn ? written : undefined;
    if (created && isConfirmed) {
      return created;
    }
    if (created) {
      // An instance of an earlier version has taken over a name. It does not call `prevent`.
      await this.writer.delete(id, {}, deadline);
    }
    void this.cleanUp(release);
    if (isConfirmed && user.isRepeated) {
      throw new IdInUseError('another user has this id, or a user with this id was deleted');
    }
    if (isConfirmed) {
      throw new NotConfirmedError('the registration took longer than its claim of the name');
    }
    return undefined;
  }

  private async confirm(userId: string, keys: NameKeys, deadline: Deadline): Promise<boolean> {
    const confirm = async (key: NameKey): Promise<boolean> =>
      this.names.confirm(key, userId, deadline);
    return !(await Promise.all(keys.map(confirm))).includes(false);
  }

  /**
   * Releases the names of a registration that has failed, so that the client can repeat it at once. Not awaited, because the
   * client has already waited for the failure.
   */
  private async cleanUp(work: () => Promise<unknown>): Promise<void> {
    const attempts = this.cleaning < MAX_RETRIED_CLEANUPS ? CLEANUP_ATTEMPTS : 1;
    this.cleaning += 1;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        await work();
        break;
      } catch {
        // No pause is needed, because a failed attempt has used the whole retry budget of a Redis call.
      }
    }
    this.cleaning -= 1;
  }
}

/** The id that is looked up for an unknown name. It depends only on the name, is as long as a UUID, and never equals a UUID. */
function standInId(usernameKey: string): string {
  return digestOfKey(usernameKey).slice(0, 36);
}
