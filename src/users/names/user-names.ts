import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { UserWriter } from '../../user-slot/write/index.js';
import { canonicalUsername, digestOfKey, usernameSkeletons } from './username.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from '../users.options.js';

/** Prefix of the owner's id if the key is only a skeleton. Nobody can log in with a skeleton. */
const SKELETON_MARK = 'skeleton_';

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  claim: load('claim-name', parseHeld),
  confirm: load('confirm-name', isOne),
  release: load('release-name', isOne),
  find: load('find-name', parseFound),
  findHolder: load('find-name', parseHolder),
};

/** A key by which user names are unique: the canonical form, or a skeleton that differs from it. */
export interface NameKey {
  readonly text: string;
  readonly isSkeleton: boolean;
}

export type NameKeys = readonly [NameKey, ...NameKey[]];

/** A name that could not be claimed. */
interface HeldName {
  /** What Redis stores. */
  readonly content: string;
  /** The id of a user, with SKELETON_MARK if the key is only a skeleton. */
  readonly owner: string;
  /** Whether the registration of the owner may be in progress. */
  readonly isInProgress: boolean;
}

/** The user who logs in with a name. */
export interface FoundName {
  readonly userId: string;
  /** Whether the registration of the user is not complete. The user may not exist. */
  readonly isClaim: boolean;
}

/** User names in Redis. A name and its user are in different slots, so a name is claimed before the user is written. */
@Injectable()
export class UserNames {
  /** Time after which another registration may take over the name of an interrupted one. */
  private readonly claimTtlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    private readonly users: UserWriter,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.claimTtlMs = options.nameClaimTtlMs ?? USERS_DEFAULTS.nameClaimTtlMs;
  }

  /** Claims a name. @returns whether the user has got it; of concurrent callers, exactly one gets it */
  async claim(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const held = await this.tryClaim(key, userId, '', deadline);
    if (held === undefined) {
      return true;
    }
    if (held.isInProgress) {
      return false;
    }
    // If the owner does not exist, an interrupted operation has left the name. If it is a registration that is only slow, it
    // must not create its user any more.
    const ownerId = held.owner.replace(SKELETON_MARK, '');
    if (!(await this.users.prevent(ownerId, deadline))) {
      return false;
    }
    return (await this.tryClaim(key, userId, held.content, deadline)) === undefined;
  }

  /** Completes a claim. @returns false when another user has got the name */
  async confirm(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const keys = [this.redisKey(key.text)];
    return this.redis.runDurably(scripts.confirm, keys, [ownerOf(key, userId)], deadline);
  }

  /** Releases a name of a user who does not exist. Not durable: the next registration takes over a name that was not released. */
  async release(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 1], deadline);
  }

  /** Releases a claim, unless it was confirmed in between. Not durable, like `release`. */
  async releaseClaim(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 0], deadline);
  }

  /** @returns the user who logs in with the name, if there is one */
  async find(usernameKey: string, deadline: Deadline): Promise<FoundName | undefined> {
    return this.redis.run(scripts.find, [this.redisKey(usernameKey)], [], deadline);
  }

  /** @returns the id of the user who has a name or a name that looks like it, or whose registration has claimed it */
  async findHolder({ text }: NameKey, deadline: Deadline): Promise<string | undefined> {
    return this.redis.run(scripts.findHolder, [this.redisKey(text)], [], deadline);
  }

  private async tryClaim(
    key: NameKey,
    userId: string,
    abandoned: string,
    deadline: Deadline,
  ): Promise<HeldName | undefined> {
    return this.redis.runDurably(
      scripts.claim,
      [this.redisKey(key.text)],
      [ownerOf(key, userId), this.claimTtlMs, abandoned],
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

function parseHeld(reply: unknown): HeldName | undefined {
  const [content, owner = '', isInProgress] = reply as [string?, string?, number?];
  return content === undefined ? undefined : { content, owner, isInProgress: isInProgress === 1 };
}

function parseFound(reply: unknown): FoundName | undefined {
  const [owner, isClaim] = reply as [string, number];
  const isUser = owner !== '' && !owner.startsWith(SKELETON_MARK);
  return isUser ? { userId: owner, isClaim: isClaim === 1 } : undefined;
}

function parseHolder(reply: unknown): string | undefined {
  const [owner] = reply as [string, number];
  return owner.replace(SKELETON_MARK, '') || undefined;
}
