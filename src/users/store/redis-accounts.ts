import { Injectable } from '@nestjs/common';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import { UserReader, type RedisRecord, type UserRecord } from '../../user-slot/read/index.js';
import { UserWriter } from '../../user-slot/write/index.js';
import { digestOfKey } from '../names/username.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  RemovalOutcome,
} from './accounts.js';
import { nameKeysOf, skeletonKeysOf, UserNames, type NameKeys } from '../names/user-names.js';
import type { NewUser } from './user-store.js';

/** If a registration is interrupted before its last step, the user expires after this many claim lifetimes. */
const PROVISIONAL_CLAIMS = 4;

/** All attempts together take longer than a failover. */
const RELEASE_ATTEMPTS = 5;
const MAX_RELEASING = 100;
/** Timeout of optional work. */
const BEST_EFFORT_TIMEOUT_MS = 300;

/**
 * Users in Redis, in the slot of their sessions. One record contains both the user and the state that decides which sessions
 * are live. One write can therefore change the user and end the sessions.
 */
@Injectable()
export class RedisAccounts implements Accounts {
  private releasing = 0;

  constructor(
    private readonly names: UserNames,
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /**
   * Claims the name before it hashes the password. A crash leaves one of these: claims that expire; a user whose first login
   * completes the registration; or names without a user, which the next registration takes over.
   *
   * Most names equal their skeleton and need one claim. For the others, the skeleton is claimed first: equal names have equal
   * skeletons, so only one of several concurrent callers continues. The other claims are made at the same time as the user.
   */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const { id } = user;
    const keys = nameKeysOf(user.username, user.usernameKey);
    const [first, ...others] = keys;
    try {
      if (!(await this.names.claim(first, id, deadline))) {
        return undefined;
      }
      const hash = await passwordHash();
      const [, ...claims] = await Promise.all([
        this.writer.create(user, hash, this.names.claimTtlMs * PROVISIONAL_CLAIMS, deadline),
        ...others.map(async (key) => this.names.claim(key, id, deadline)),
      ]);
      if (claims.includes(false)) {
        // The user that was just written expires by itself.
        void this.releaseClaims(keys, id);
        return undefined;
      }
    } catch (error) {
      // Not awaited, because the caller has already waited for the failure.
      void this.releaseClaims(keys, id);
      throw error;
    }
    return this.complete(id, keys, deadline);
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
    const userId = await this.names.find(usernameKey, deadline);
    return async () => {
      // An unknown name takes the same steps, so that the response time does not reveal it (OWASP ASVS 6.3.8).
      const user = await this.reader.findOrStandIn(userId ?? standInId(usernameKey), deadline);
      return user?.id === userId ? user : undefined;
    };
  }

  /**
   * Completes an interrupted registration. For a user from before version 0.2, it claims the skeletons of the name, except
   * those that another user has.
   */
  async prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    const { isProvisional, hasSkeletons } = user as Partial<RedisRecord>;
    if (isProvisional === true) {
      return this.complete(user.id, nameKeysOf(user.username), deadline);
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

  private async complete(
    userId: string,
    keys: NameKeys,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const confirmed = await Promise.all(
      keys.map(async (key) => this.names.confirm(key, userId, deadline)),
    );
    if (confirmed.includes(false)) {
      // The user expires. The next registration then takes over the names that were confirmed.
      return undefined;
    }
    const user = await this.writer.confirm(userId, deadline);
    if (user === undefined) {
      throw new NotConfirmedError(
        'the registration took longer than the lifetime of its provisional user',
      );
    }
    return user;
  }

  /** Releases the claims, so that the client can repeat the registration before they expire. */
  private async releaseClaims(keys: NameKeys, userId: string): Promise<void> {
    if (this.releasing >= MAX_RELEASING) {
      return; // the claims expire by themselves
    }
    this.releasing += 1;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      const released = await Promise.allSettled(
        keys.map(async (key) => this.names.releaseClaim(key, userId, Deadline.none)),
      );
      if (released.every(({ status }) => status === 'fulfilled')) {
        break;
      }
      // No pause is needed, because a failed attempt has used the whole retry budget of a Redis call.
    }
    this.releasing -= 1;
  }
}

/** The id that is looked up for an unknown name. It depends only on the name, is as long as a UUID, and never equals a UUID. */
function standInId(usernameKey: string): string {
  return digestOfKey(usernameKey).slice(0, 36);
}
