import { Injectable } from '@nestjs/common';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NearCache } from '../../near-cache/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import type { UserRecord } from '../user.js';
import { canonicalUsername } from '../username.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  RemovalOutcome,
} from './accounts.js';
import { OVERTAKEN, untilFirst } from './overtaken.js';
import { userSubject, UserRecords } from './user-records.js';
import type { NewUser, StoredChange, UserStore } from './user-store.js';

/** Together longer than a failover takes. */
const RELEASE_ATTEMPTS = 5;
const MOST_RELEASING = 100;
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
   * The name is claimed before the password is hashed. A crash after any step leaves either a claim that runs out or a user
   * whose first login completes the registration.
   */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const { id, usernameKey } = user;
    try {
      if (!(await this.records.claimName(usernameKey, id, deadline))) {
        return undefined;
      }
      await this.records.create(user, await passwordHash(), deadline);
    } catch (error) {
      // Not awaited: the caller has waited long enough.
      void this.releaseClaim(usernameKey, id);
      throw error;
    }
    return this.complete(id, usernameKey, deadline);
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

  /** A user whose registration stopped before its end: the first login brings it to its end. */
  async admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    return 'isProvisional' in user && user.isProvisional === true
      ? this.complete(user.id, canonicalUsername(user.username), deadline)
      : user;
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
      const usernameKey = canonicalUsername(deleted.username);
      await this.records
        .releaseName(usernameKey, userId, deadline.within(LONGEST_AFTERTHOUGHT_MS))
        .catch(() => undefined);
    }
    return deleted;
  }

  private async complete(
    userId: string,
    usernameKey: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    if (!(await this.records.confirmName(usernameKey, userId, deadline))) {
      return undefined;
    }
    const user = await this.records.confirm(userId, deadline);
    if (user === undefined) {
      throw new NotConfirmedError('the registration took longer than its user was kept');
    }
    return user;
  }

  /** So that whoever repeats the registration need not wait for the claim to run out. */
  private async releaseClaim(usernameKey: string, userId: string): Promise<void> {
    if (this.releasing >= MOST_RELEASING) {
      return; // it runs out by itself
    }
    this.releasing += 1;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      try {
        await this.records.releaseClaim(usernameKey, userId, Deadline.none);
        break;
      } catch {
        // Each attempt has taken as long as Redis is waited for.
      }
    }
    this.releasing -= 1;
  }
}
