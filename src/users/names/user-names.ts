import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { UserReader } from '../../user-slot/read/index.js';
import { canonicalUsername, digestOfKey, usernameSkeletons } from './username.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from '../users.options.js';

/** Prefix of the owner's id if the key is only a skeleton. Nobody can log in with a skeleton. */
const SKELETON_MARK = 'skeleton_';

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  claim: load('claim-name', parseHolder),
  confirm: load('confirm-name', isOne),
  release: load('release-name', isOne),
  find: load('find-name', (reply) => String(reply) || undefined),
};

/** A key by which user names are unique: the canonical form, or a skeleton that differs from it. */
export interface NameKey {
  readonly text: string;
  readonly isSkeleton: boolean;
}

export type NameKeys = readonly [NameKey, ...NameKey[]];

/** The owner of a name that could not be claimed. */
interface NameHolder {
  /** The id of a user, with SKELETON_MARK if the key is only a skeleton. */
  readonly owner: string;
  /** False during a registration. */
  readonly isForGood: boolean;
}

/** User names in Redis. A name and its user are in different slots, so claim, user and confirmation are separate steps. */
@Injectable()
export class UserNames {
  /** Lifetime of a claim. */
  readonly claimTtlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    private readonly users: UserReader,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.claimTtlMs = options.nameClaimTtlMs ?? USERS_DEFAULTS.nameClaimTtlMs;
  }

  /** Claims a name for a limited time. @returns whether the user has got it; of concurrent callers, exactly one gets it */
  async claim(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const holder = await this.tryClaim(key, userId, '', deadline);
    if (holder === undefined) {
      return true;
    }
    // The owner is a registration in progress, or a user. If that user does not exist, an interrupted operation has left the
    // name.
    const holderId = holder.owner.replace(SKELETON_MARK, '');
    if (!holder.isForGood || (await this.users.exists(holderId, deadline))) {
      return false;
    }
    return (await this.tryClaim(key, userId, holder.owner, deadline)) === undefined;
  }

  /** Makes a claim permanent. @returns false when the claim expired and another user has got the name */
  async confirm(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const keys = [this.redisKey(key.text)];
    return this.redis.runDurably(scripts.confirm, keys, [ownerOf(key, userId)], deadline);
  }

  /** Releases a name of a deleted user. Not durable: the next registration takes over a name that was not released. */
  async release(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 1], deadline);
  }

  /** Releases a claim, unless it was confirmed in between. Not durable: a claim that was not released expires. */
  async releaseClaim(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 0], deadline);
  }

  /** @returns the id of the user who logs in with the name, if there is one */
  async find(usernameKey: string, deadline: Deadline): Promise<string | undefined> {
    const owner = await this.redis.run(scripts.find, [this.redisKey(usernameKey)], [], deadline);
    return owner?.startsWith(SKELETON_MARK) ? undefined : owner;
  }

  private async tryClaim(
    key: NameKey,
    userId: string,
    abandonedOwner: string,
    deadline: Deadline,
  ): Promise<NameHolder | undefined> {
    return this.redis.runDurably(
      scripts.claim,
      [this.redisKey(key.text)],
      [ownerOf(key, userId), this.claimTtlMs, abandonedOwner],
      deadline,
    );
  }

  private redisKey(text: string): string {
    return this.redis.keys.key(['name', digestOfKey(text)], 'owner');
  }
}

/** The keys of a name, the skeleton of the canonical name first. */
export function nameKeysOf(username: string, usernameKey = canonicalUsername(username)): NameKeys {
  const [skeleton, ...others] = usernameSkeletons(usernameKey, username);
  const texts = new Set([skeleton, usernameKey, ...others]);
  const [first, ...rest] = Array.from(texts, (text) => ({
    text,
    isSkeleton: text !== usernameKey,
  }));
  return [first!, ...rest];
}

export function skeletonKeysOf(username: string): NameKey[] {
  return nameKeysOf(username).filter(({ isSkeleton }) => isSkeleton);
}

function ownerOf({ isSkeleton }: NameKey, userId: string): string {
  return isSkeleton ? SKELETON_MARK + userId : userId;
}

function parseHolder(reply: unknown): NameHolder | undefined {
  const [owner = '', isForGood] = reply as [string?, number?];
  return owner === '' ? undefined : { owner, isForGood: isForGood === 1 };
}
