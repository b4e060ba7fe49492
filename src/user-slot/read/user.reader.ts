import { Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { NearCache } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { isOne, slotScript } from '../slot-script.js';
import { parseUser, type RedisRecord, type UserCopy } from '../user-record.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';

const scripts = {
  find: slotScript('find-user', parseUser),
  exists: slotScript('user-exists', isOne),
  findCopy: slotScript('find-copy', parseCopy),
  sessionAge: slotScript('session-age', (reply) => (reply === '' ? undefined : Number(reply))),
};

/** Reads what Redis has of users. All methods throw RedisUnavailableError. */
@Injectable()
export class UserReader {
  private readonly keys: UserSlotKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /** What it finds is a hint: a script that writes checks it again. */
  async find(userId: string, deadline: Deadline): Promise<RedisRecord | undefined> {
    return this.redis.run(scripts.find, [this.keys.record(userId)], [0], deadline);
  }

  /** Takes as long for an id that no user has (OWASP ASVS 6.3.8): the result is then a stand-in whose id is ''. */
  async findOrStandIn(userId: string, deadline: Deadline): Promise<RedisRecord | undefined> {
    return this.redis.run(scripts.find, [this.keys.record(userId)], [1], deadline);
  }

  /**
   * Whether a user exists, for certain.
   *
   * @throws NotConfirmedError
   */
  async exists(userId: string, deadline: Deadline): Promise<boolean> {
    const keys = [this.keys.record(userId), this.keys.fence(userId)];
    return this.redis.runDurably(scripts.exists, keys, [], deadline);
  }

  /** The copy of a user who is kept in another store. */
  async findCopy(userId: string, deadline: Deadline): Promise<UserCopy> {
    return this.redis.run(scripts.findCopy, [this.keys.record(userId)], [], deadline);
  }

  /**
   * The ids of all users who can have sessions, also of those whose registration is not complete, or who were deleted a
   * moment ago. For operators' work, not for requests: it looks at every key there is.
   *
   * @throws MissingRightError
   */
  async ids(deadline: Deadline): Promise<ReadonlySet<string>> {
    const records = await this.redis.scanKeys(this.keys.anyRecord, deadline);
    return new Set(Array.from(records, (key) => this.keys.userIdIn(key)));
  }

  /** @returns how long ago a session began, in milliseconds; a refresh does not make it younger */
  async sessionAgeMs(
    userId: string,
    sessionId: string,
    deadline: Deadline,
  ): Promise<number | undefined> {
    const keys = [this.keys.sessions(userId)];
    return this.redis.run(scripts.sessionAge, keys, [sessionId], deadline);
  }

  /**
   * Announces changes of a user that other callers began and perhaps could not finish; see `NearCache.settle`.
   *
   * @throws NotConfirmedError
   */
  async settle(userId: string, deadline: Deadline): Promise<void> {
    await this.cache.settle(userSubject(userId), deadline);
  }
}

function parseCopy(reply: unknown): UserCopy {
  const [version, ...fields] = reply as [string, ...string[]];
  return { version: version || undefined, user: parseUser(fields) };
}
