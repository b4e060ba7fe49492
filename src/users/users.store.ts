import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import type { Registration, UserRecord } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from './users.options.js';
import { scripts, type ChangeOutcome, type NameHolder } from './users.scripts.js';
import { displayedUsername, usernameDigest } from './username.js';

/** A user whose registration stopped between its last two steps runs out after this many lives of a claim. */
const PROVISIONAL_CLAIMS = 4;
/** Longer than any write can be late. */
const DELETED_MARK_MS = 2 * 3_600_000;

/** Puts a key into the slot of its user, so that one script can decide about all that belongs to the user. */
export const userTag = (userId: string): readonly ['user', string] => ['user', userId];

/** What the near cache knows a user and all the user's sessions by. */
export const userSubject = (userId: string): string => `user.${userId}`;

/** A change of a stored user, and what it does to the user's sessions. */
export interface StoredChange {
  /** New values by field; '' clears. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Version of the password that was verified for the change, where one was needed. */
  readonly passwordVersion?: number;
  readonly endsSessions?: boolean;
  /** A session that does not end with the others. */
  readonly exceptSessionId?: string | undefined;
}

/** Users and their names in Redis. A name and its user live in different slots, so each method is one step. */
@Injectable()
export class UsersStore {
  private readonly claimTtlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.claimTtlMs = options.nameClaimTtlMs ?? USERS_DEFAULTS.nameClaimTtlMs;
  }

  /** @returns whether the name is the user's for now; of any number of callers at once one wins */
  async claimName(username: string, userId: string, deadline: Deadline): Promise<boolean> {
    const holder = await this.tryClaim(username, userId, '', deadline);
    if (holder === undefined) {
      return true;
    }
    // A registration under way, or a user. A name kept for a user who is not there is left from an interrupted run.
    if (!holder.isForGood || (await this.exists(holder.userId, deadline))) {
      return false;
    }
    return (await this.tryClaim(username, userId, holder.userId, deadline)) === undefined;
  }

  /** @returns false when the claim ran out and the name went to another user */
  async confirmName(username: string, userId: string, deadline: Deadline): Promise<boolean> {
    return this.redis.runDurably(scripts.confirmName, [this.nameKey(username)], [userId], deadline);
  }

  /** Gives up a name that is the user's. Not durable: one that stays behind is taken over by the next who wants it. */
  async releaseName(username: string, userId: string, deadline: Deadline): Promise<void> {
    await this.redis.run(scripts.releaseName, [this.nameKey(username)], [userId, 1], deadline);
  }

  /** Gives up a claim, unless it was confirmed meanwhile. Not durable: one that stays behind runs out. */
  async releaseClaim(username: string, userId: string, deadline: Deadline): Promise<void> {
    await this.redis.run(scripts.releaseName, [this.nameKey(username)], [userId, 0], deadline);
  }

  async create(
    userId: string,
    registration: Registration,
    passwordHash: string,
    deadline: Deadline,
  ): Promise<void> {
    const fields = {
      id: userId,
      username: displayedUsername(registration.username),
      email: registration.email ?? '',
      displayName: registration.displayName ?? '',
      roles: JSON.stringify(registration.roles ?? []),
      passwordHash,
      passwordVersion: '1',
    };
    await this.redis.runDurably(
      scripts.createUser,
      [this.userKey(userId)],
      [this.claimTtlMs * PROVISIONAL_CLAIMS, ...Object.entries(fields).flat()],
      deadline,
    );
  }

  async confirm(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.redis.runDurably(scripts.confirmUser, [this.userKey(userId)], [], deadline);
  }

  async findByName(username: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const userId = await this.redis.run(scripts.findName, [this.nameKey(username)], [], deadline);
    return userId === undefined ? undefined : this.find(userId, deadline);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.redis.run(scripts.findUser, [this.userKey(userId)], [], deadline);
  }

  /** The ids of all users, also of those whose registration is not complete, or who were deleted a moment ago. */
  async ids(deadline: Deadline): Promise<ReadonlySet<string>> {
    const { keys } = this.redis;
    const records = await this.redis.scanKeys(keys.patternFor('user', 'record'), deadline);
    return new Set(Array.from(records, (key) => keys.idIn(key)));
  }

  /** @param sequence number of the change in the near cache: one change, though it may be sent more than once */
  async change(
    userId: string,
    change: StoredChange,
    sequence: string,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    return this.redis.runDurably(
      scripts.changeUser,
      [this.userKey(userId), this.sessionsKey(userId)],
      [
        sequence,
        change.passwordVersion ?? '',
        change.endsSessions ? 1 : 0,
        change.exceptSessionId ?? '',
        ...Object.entries(change.fields ?? {}).flat(),
      ],
      deadline,
    );
  }

  async renewHash(user: UserRecord, hash: string, deadline: Deadline): Promise<void> {
    await this.redis.run(
      scripts.renewHash,
      [this.userKey(user.id)],
      [user.passwordHash.reveal(), hash],
      deadline,
    );
  }

  /**
   * @param passwordVersion the one that was verified, where a password was needed
   * @returns false when the password was changed since, or there is no such user
   */
  async delete(
    userId: string,
    passwordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    return this.redis.runDurably(
      scripts.deleteUser,
      [this.userKey(userId), this.sessionsKey(userId)],
      [passwordVersion ?? '', DELETED_MARK_MS],
      deadline,
    );
  }

  private async tryClaim(
    username: string,
    userId: string,
    abandonedOwner: string,
    deadline: Deadline,
  ): Promise<NameHolder | undefined> {
    return this.redis.runDurably(
      scripts.claimName,
      [this.nameKey(username)],
      [userId, this.claimTtlMs, abandonedOwner],
      deadline,
    );
  }

  private async exists(userId: string, deadline: Deadline): Promise<boolean> {
    const fence = this.redis.keys.key(userTag(userId), 'fence');
    return this.redis.runDurably(scripts.userExists, [this.userKey(userId), fence], [], deadline);
  }

  private nameKey(username: string): string {
    return this.redis.keys.key(['name', usernameDigest(username)], 'owner');
  }

  private sessionsKey(userId: string): string {
    return this.redis.keys.key(userTag(userId), 'sessions');
  }

  private userKey(userId: string): string {
    return this.redis.keys.key(userTag(userId), 'record');
  }
}
