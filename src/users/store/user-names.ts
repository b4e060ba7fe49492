import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { UserReader } from '../../user-slot/read/index.js';
import { canonicalUsername, digestOfKey, usernameSkeletons } from '../names/username.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import { USERS_DEFAULTS, type UsersOptions } from '../users.options.js';

/** In front of the owner's id where a name is kept for its skeleton only: nobody logs in with it. */
const SKELETON_MARK = 'skeleton_';

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  claim: load('claim-name', parseHolder),
  confirm: load('confirm-name', isOne),
  release: load('release-name', isOne),
  find: load('find-name', (reply) => String(reply) || undefined),
};

/** What a user's name is unique by: its canonical form, or a skeleton that is another text. */
export interface NameKey {
  readonly text: string;
  readonly isSkeleton: boolean;
}

export type NameKeys = readonly [NameKey, ...NameKey[]];

/** Who has a name already, when a claim did not get it. */
interface NameHolder {
  /** The id of a user, marked when it is for a skeleton. */
  readonly owner: string;
  /** False while a registration is under way. */
  readonly isForGood: boolean;
}

/** The names of users in Redis, each in a slot of its own: so a claim, a user and a confirmation are separate steps. */
@Injectable()
export class UserNames {
  /** How long a claim lives. */
  readonly claimTtlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    private readonly users: UserReader,
    @Inject(USERS_OPTIONS) options: UsersOptions,
  ) {
    this.claimTtlMs = options.nameClaimTtlMs ?? USERS_DEFAULTS.nameClaimTtlMs;
  }

  /** @returns whether the name is the user's for now; of any number of callers at once one wins */
  async claim(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const holder = await this.tryClaim(key, userId, '', deadline);
    if (holder === undefined) {
      return true;
    }
    // A registration under way, or a user. A name kept for a user who is not there is left from an interrupted run.
    const holderId = holder.owner.replace(SKELETON_MARK, '');
    if (!holder.isForGood || (await this.users.exists(holderId, deadline))) {
      return false;
    }
    return (await this.tryClaim(key, userId, holder.owner, deadline)) === undefined;
  }

  /** @returns false when the claim ran out and the name went to another user */
  async confirm(key: NameKey, userId: string, deadline: Deadline): Promise<boolean> {
    const keys = [this.redisKey(key.text)];
    return this.redis.runDurably(scripts.confirm, keys, [ownerOf(key, userId)], deadline);
  }

  /** Gives up a name that is the user's. Not durable: one that stays behind is taken over by the next who wants it. */
  async release(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 1], deadline);
  }

  /** Gives up a claim, unless it was confirmed meanwhile. Not durable: one that stays behind runs out. */
  async releaseClaim(key: NameKey, userId: string, deadline: Deadline): Promise<void> {
    const owner = ownerOf(key, userId);
    await this.redis.run(scripts.release, [this.redisKey(key.text)], [owner, 0], deadline);
  }

  /** @returns the id of the user who logs in with a name, if there is one */
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
