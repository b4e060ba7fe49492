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
import { nameKeysOf, skeletonKeysOf, UserNames, type NameKeys } from './user-names.js';
import type { NewUser } from './user-store.js';

/** A user whose registration stopped between its last two steps expires after this many lives of a claim. */
const PROVISIONAL_CLAIMS = 4;

/** Together longer than a failover takes. */
const RELEASE_ATTEMPTS = 5;
const MAX_RELEASING = 100;
/** For what can be left undone without harm. */
const BEST_EFFORT_TIMEOUT_MS = 300;

/**
 * Users in Redis, in the slot of their sessions: one record is both the user and what sessions are decided by, so that a
 * change and the end of sessions are one write.
 */
@Injectable()
export class RedisUserStore implements Accounts {
  private releasing = 0;

  constructor(
    private readonly names: UserNames,
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /**
   * The name is claimed before the password is hashed. A crash after any step leaves either claims that run out or a user
   * whose first login completes the registration.
   *
   * Most names are their own skeleton and need one claim. Of the others the skeleton is claimed first: names that are the
   * same have the same one, so of any number of callers one gets through, and the other claims then go with the user.
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
        // The user runs out.
        void this.releaseClaims(keys, id);
        return undefined;
      }
    } catch (error) {
      // Not awaited: the caller has waited long enough.
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
    const userId = await this.names.find(usernameKey, deadline);
    // The same steps for a name that nobody has, so that the time tells nothing (OWASP ASVS 6.3.8).
    const user = await this.reader.findOrStandIn(userId ?? nobodysId(usernameKey), deadline);
    return user?.id === userId ? user : undefined;
  }

  /**
   * A user whose registration stopped before its end: the first login brings it to its end. One who was registered before
   * skeletons were claimed gets them now, except those that another such user has.
   */
  async admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
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

  /** The record is what sessions are decided by. What can be missing is that everybody knows of its last change. */
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
      // The deletion is done and confirmed. A name that stays behind is taken over by the next who wants it.
      const soon = deadline.within(BEST_EFFORT_TIMEOUT_MS);
      await Promise.allSettled(
        nameKeysOf(deleted.username).map(async (key) => this.names.release(key, userId, soon)),
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
      // What was confirmed is taken over by the next who wants it, when the user has run out.
      return undefined;
    }
    const user = await this.writer.confirm(userId, deadline);
    if (user === undefined) {
      throw new NotConfirmedError('the registration took longer than its user was kept');
    }
    return user;
  }

  /** So that a repeated registration need not wait until the claims expire. */
  private async releaseClaims(keys: NameKeys, userId: string): Promise<void> {
    if (this.releasing >= MAX_RELEASING) {
      return; // they run out by themselves
    }
    this.releasing += 1;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      const released = await Promise.allSettled(
        keys.map(async (key) => this.names.releaseClaim(key, userId, Deadline.none)),
      );
      if (released.every(({ status }) => status === 'fulfilled')) {
        break;
      }
      // Each attempt has taken as long as Redis is waited for.
    }
    this.releasing -= 1;
  }
}

/** For a name that nobody has: always the same id, as long as a user's, and none that `randomUUID` makes. */
function nobodysId(usernameKey: string): string {
  return digestOfKey(usernameKey).slice(0, 36);
}
