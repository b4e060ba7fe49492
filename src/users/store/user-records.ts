import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import type { UserRecord } from '../user.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from '../users.options.js';
import { digestOfKey } from '../names/username.js';
import type { AccountChange, Conditions, SessionsEffect } from './accounts.js';
import type { NewUser, StoredChange } from './user-store.js';
import {
  scripts,
  type Copy,
  type NameHolder,
  type RecordChange,
  type RecordRemoval,
} from './users.scripts.js';

/** A user whose registration stopped between its last two steps runs out after this many lives of a claim. */
const PROVISIONAL_CLAIMS = 4;
/** Longer than any write can be late. */
const DELETED_MARK_MS = 2 * 3_600_000;

/** In front of the owner's id where a name is kept for its skeleton only: nobody logs in with it. */
const SKELETON_MARK = 'skeleton_';

/** What a user's name is unique by: its canonical form, or a skeleton that is another text. */
export interface NameKey {
  readonly text: string;
  readonly isSkeleton: boolean;
}

/** Puts a key into the slot of its user, so that one script can decide about all that belongs to the user. */
export const userTag = (userId: string): readonly ['user', string] => ['user', userId];

/** What the near cache knows a user and all the user's sessions by. */
export const userSubject = (userId: string): string => `user.${userId}`;

/**
 * The records of users and their names in Redis. A name and its user live in different slots, so each method is one step.
 * Of a user who is kept elsewhere there is a copy, by which sessions are decided.
 */
@Injectable()
export class UserRecords {
  private readonly claimTtlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.claimTtlMs = options.nameClaimTtlMs ?? USERS_DEFAULTS.nameClaimTtlMs;
  }

  /** @returns whether the name is the user's for now; of any number of callers at once one wins */
  async claimName(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const holder = await this.tryClaim(key, userId, '', deadline);
    if (holder === undefined) {
      return true;
    }
    // A registration under way, or a user. A name kept for a user who is not there is left from an interrupted run.
    const holderId = holder.owner.replace(SKELETON_MARK, '');
    if (!holder.isForGood || (await this.exists(holderId, deadline))) {
      return false;
    }
    return (await this.tryClaim(key, userId, holder.owner, deadline)) === undefined;
  }

  /** @returns false when the claim ran out and the name went to another user */
  async confirmName(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    return this.redis.runDurably(
      scripts.confirmName,
      [this.nameKey(key.text)],
      [ownerOf(key, userId)],
      deadline,
    );
  }

  /** Gives up a name that is the user's. Not durable: one that stays behind is taken over by the next who wants it. */
  async releaseName(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.releaseName, [this.nameKey(key.text)], [owner, 1], deadline);
  }

  /** Gives up a claim, unless it was confirmed meanwhile. Not durable: one that stays behind runs out. */
  async releaseClaim(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.releaseName, [this.nameKey(key.text)], [owner, 0], deadline);
  }

  async create(user: NewUser, passwordHash: Secret, deadline: Deadline): Promise<void> {
    const { id, username, email, displayName, roles } = user;
    const fields = {
      ...{ id, username, email: email ?? '', displayName: displayName ?? '' },
      roles: JSON.stringify(roles),
      passwordHash: passwordHash.reveal(),
      passwordVersion: '1',
      skeletons: '1',
    };
    await this.redis.runDurably(
      scripts.createUser,
      [this.userKey(id)],
      [this.claimTtlMs * PROVISIONAL_CLAIMS, ...Object.entries(fields).flat()],
      deadline,
    );
  }

  async confirm(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.redis.runDurably(scripts.confirmUser, [this.userKey(userId)], [], deadline);
  }

  /** Takes the same steps for a name that nobody has, so that the time tells nothing (OWASP ASVS 6.3.8). */
  async findByName(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const owner = await this.redis.run(scripts.findName, [this.nameKey(usernameKey)], [], deadline);
    const userId = owner?.startsWith(SKELETON_MARK) ? undefined : owner;
    const id = userId ?? nobodysId(usernameKey);
    const user = await this.redis.run(scripts.findUser, [this.userKey(id)], [1], deadline);
    return user?.id === userId ? user : undefined;
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.redis.run(scripts.findUser, [this.userKey(userId)], [0], deadline);
  }

  /** The ids of all users, also of those whose registration is not complete, or who were deleted a moment ago. */
  async ids(deadline: Deadline): Promise<ReadonlySet<string>> {
    const { keys } = this.redis;
    const records = await this.redis.scanKeys(keys.patternFor('user', 'record'), deadline);
    return new Set(Array.from(records, (key) => keys.idIn(key)));
  }

  /**
   * @param sequence number of the change in the near cache: one change, though it may be sent more than once
   */
  async change(
    userId: string,
    change: AccountChange,
    sequence: string,
    deadline: Deadline,
  ): Promise<RecordChange> {
    return this.redis.runDurably(
      scripts.changeUser,
      [this.userKey(userId), this.sessionsKey(userId)],
      [
        sequence,
        change.ifPasswordVersion ?? '',
        change.ifRevision ?? '',
        change.endsSessions || change.isDisabled ? 1 : 0,
        change.exceptSessionId ?? '',
        JSON.stringify(change.unlessRoles ?? []),
        change.password ? 1 : 0,
        ...Object.entries(fieldsOf(change)).flat(),
      ],
      deadline,
    );
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    const hashes = [verified.reveal(), renewed.reveal()];
    await this.redis.run(scripts.renewHash, [this.userKey(userId)], hashes, deadline);
  }

  /** @returns no name when an earlier run of the same call has deleted the user */
  async delete(
    userId: string,
    { ifPasswordVersion, ifRevision, unlessRoles = [] }: Conditions,
    deadline: Deadline,
  ): Promise<RecordRemoval> {
    return this.redis.runDurably(
      scripts.deleteUser,
      [this.userKey(userId), this.sessionsKey(userId)],
      [ifPasswordVersion ?? '', ifRevision ?? '', DELETED_MARK_MS, JSON.stringify(unlessRoles)],
      deadline,
    );
  }

  /** @returns how long ago a session began, in milliseconds; a refresh does not make it younger */
  async sessionAgeMs(
    userId: string,
    sessionId: string,
    deadline: Deadline,
  ): Promise<number | undefined> {
    const keys = [this.sessionsKey(userId)];
    return this.redis.run(scripts.sessionAge, keys, [sessionId], deadline);
  }

  /** The copy of a user who is kept elsewhere. */
  async findCopy(userId: string, deadline: Deadline): Promise<Copy> {
    return this.redis.run(scripts.findCopy, [this.userKey(userId)], [], deadline);
  }

  /**
   * Writes the copy of a user who is kept elsewhere.
   *
   * @param user undefined: there is no such user any more
   * @param found the copy before the store was asked: what was written since then is not overwritten
   * @returns whether it was written
   */
  async putCopy(
    userId: string,
    user: UserRecord | undefined,
    found: Copy,
    { endsSessions, exceptSessionId }: SessionsEffect,
    deadline: Deadline,
  ): Promise<boolean> {
    return this.redis.runDurably(
      scripts.putCopy,
      [this.userKey(userId), this.sessionsKey(userId)],
      [
        found.version ?? '',
        randomUUID(),
        endsSessions ? 1 : 0,
        exceptSessionId ?? '',
        DELETED_MARK_MS,
        ...(user ? Object.entries(copyOf(user)).flat() : []),
      ],
      deadline,
    );
  }

  private async tryClaim(
    key: NameKey,
    userId: string,
    abandonedOwner: string,
    deadline: Deadline,
  ): Promise<NameHolder | undefined> {
    return this.redis.runDurably(
      scripts.claimName,
      [this.nameKey(key.text)],
      [ownerOf(key, userId), this.claimTtlMs, abandonedOwner],
      deadline,
    );
  }

  private async exists(userId: string, deadline: Deadline): Promise<boolean> {
    const fence = this.redis.keys.key(userTag(userId), 'fence');
    return this.redis.runDurably(scripts.userExists, [this.userKey(userId), fence], [], deadline);
  }

  private nameKey(text: string): string {
    return this.redis.keys.key(['name', digestOfKey(text)], 'owner');
  }

  private sessionsKey(userId: string): string {
    return this.redis.keys.key(userTag(userId), 'sessions');
  }

  private userKey(userId: string): string {
    return this.redis.keys.key(userTag(userId), 'record');
  }
}

/** For a name that nobody has: always the same id, as long as a user's, and none that `randomUUID` makes. */
function nobodysId(usernameKey: string): string {
  return digestOfKey(usernameKey).slice(0, 36);
}

function ownerOf({ isSkeleton }: NameKey, userId: string): string {
  return isSkeleton ? SKELETON_MARK + userId : userId;
}

/** Of a change, the fields of a record; '' clears. */
function fieldsOf(change: StoredChange): Record<string, string | number> {
  const { email, displayName, roles, isDisabled, password } = change;
  return {
    ...(email === undefined ? {} : { email: email ?? '' }),
    ...(displayName === undefined ? {} : { displayName: displayName ?? '' }),
    ...(roles === undefined ? {} : { roles: JSON.stringify(roles) }),
    ...(isDisabled === undefined ? {} : { disabled: isDisabled ? 1 : 0 }),
    ...(password && { passwordHash: password.hash.reveal(), passwordVersion: password.version }),
  };
}

/** All that sessions and their requests have to know. */
function copyOf(user: UserRecord): Record<string, string | number> {
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? '',
    displayName: user.displayName ?? '',
    roles: JSON.stringify(user.roles),
    createdAt: user.createdAt.getTime(),
    updatedAt: user.updatedAt.getTime(),
    passwordVersion: user.passwordVersion,
    disabled: user.isDisabled ? 1 : 0,
  };
}
