import { Injectable } from '@nestjs/common';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NearCache } from '../../near-cache/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import type { UserRecord } from '../user.js';
import { canonicalUsername, usernameSkeletons } from '../names/username.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  RemovalOutcome,
} from './accounts.js';
import { OVERTAKEN, untilFirst } from './overtaken.js';
import { userSubject, UserRecords, type NameKey } from './user-records.js';
import type { NewUser, StoredChange, UserStore } from './user-store.js';
import type { RedisRecord } from './users.scripts.js';

/** Together longer than a failover takes. */
const RELEASE_ATTEMPTS = 5;
const MAX_RELEASING = 100;
/** For what can be left undone without harm. */
const LONGEST_AFTERTHOUGHT_MS = 300;

/**
 * Users in Redis, in the slot of their sessions: one record is both the user and what sessions are decided by, so that a
 * change and the end of sessions are one write.
 */
@Injectable()
export class RedisUserStore implements Accounts, UserStore {
  private releasing = 0;

  constructor(
    private readonly records: UserRecords,
    private readonly cache: NearCache,
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
      if (!(await this.records.claimName(first, id, deadline))) {
        return undefined;
      }
      const hash = await passwordHash();
      const [, ...claims] = await Promise.all([
        this.records.create(user, hash, deadline),
        ...others.map(async (key) => this.records.claimName(key, id, deadline)),
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
    return this.records.find(userId, deadline);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.records.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.records.findByName(usernameKey, deadline);
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
    await Promise.all(
      skeletons.map(async (key) => this.records.confirmName(key, user.id, deadline)),
    );
    return this.records.confirm(user.id, deadline);
  }

  async update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome> {
    // Changes that begin at the same time may come in another order.
    return untilFirst(async () => {
      const result = await this.cache.change(
        userSubject(userId),
        async (sequence) => this.records.change(userId, change, sequence, deadline),
        deadline,
      );
      return result.outcome === 'overtaken' ? OVERTAKEN : result;
    });
  }

  async change(
    userId: string,
    change: StoredChange,
    ifRevision: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const result = await this.cache.change(
      userSubject(userId),
      async (sequence) =>
        this.records.change(userId, { ...change, ifRevision }, sequence, deadline),
      deadline,
    );
    return result.outcome === 'changed' ? result.user : undefined;
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
    await this.records.renewHash(userId, verified, renewed, deadline);
  }

  async delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean> {
    return (await this.remove(userId, { ifRevision }, deadline)).outcome === 'removed';
  }

  /** The record is what sessions are decided by. What can be missing is that everybody knows of its last change. */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    await this.cache.settle(userSubject(userId), deadline);
    return this.records.find(userId, deadline);
  }

  async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const deleted = await this.cache.change(
      userSubject(userId),
      async () => this.records.delete(userId, conditions, deadline),
      deadline,
    );
    if (deleted.outcome === 'removed' && deleted.username) {
      // The deletion is done and confirmed. A name that stays behind is taken over by the next who wants it.
      const soon = deadline.within(LONGEST_AFTERTHOUGHT_MS);
      await Promise.allSettled(
        nameKeysOf(deleted.username).map(async (key) =>
          this.records.releaseName(key, userId, soon),
        ),
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
      keys.map(async (key) => this.records.confirmName(key, userId, deadline)),
    );
    if (confirmed.includes(false)) {
      // What was confirmed is taken over by the next who wants it, when the user has run out.
      return undefined;
    }
    const user = await this.records.confirm(userId, deadline);
    if (user === undefined) {
      throw new NotConfirmedError('the registration took longer than its user was kept');
    }
    return user;
  }

  /** So that whoever repeats the registration need not wait for the claims to run out. */
  private async releaseClaims(keys: NameKeys, userId: string): Promise<void> {
    if (this.releasing >= MAX_RELEASING) {
      return; // they run out by themselves
    }
    this.releasing += 1;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      const released = await Promise.allSettled(
        keys.map(async (key) => this.records.releaseClaim(key, userId, Deadline.none)),
      );
      if (released.every(({ status }) => status === 'fulfilled')) {
        break;
      }
      // Each attempt has taken as long as Redis is waited for.
    }
    this.releasing -= 1;
  }
}

type NameKeys = readonly [NameKey, ...NameKey[]];

/** The skeleton of the canonical name first. */
function nameKeysOf(username: string, usernameKey = canonicalUsername(username)): NameKeys {
  const [skeleton, ...others] = usernameSkeletons(usernameKey, username);
  const texts = new Set([skeleton, usernameKey, ...others]);
  const [first, ...rest] = Array.from(texts, (text) => ({
    text,
    isSkeleton: text !== usernameKey,
  }));
  return [first!, ...rest];
}

function skeletonKeysOf(username: string): NameKey[] {
  return nameKeysOf(username).filter(({ isSkeleton }) => isSkeleton);
}
