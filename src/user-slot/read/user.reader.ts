import { Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NearCache, type SlotCall } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { slotScript } from '../slot-script.js';
import { parseUser, type RedisProfile, type RedisRecord, type UserCopy } from '../user-record.js';
import type { Authentication, AuthenticationMethod } from '../session.js';
import { userSubject, UserSlotKeys } from '../user-slot.keys.js';

const scripts = {
  find: slotScript('find-user', parseUser),
  findProfile: slotScript('find-profile', parseUser),
  confirmProfile: slotScript('find-profile-confirmed', parseUser),
  findCopy: slotScript('find-mirrored-user', parseCopy),
  authentication: slotScript('session-authentication', parseAuthentication),
};

/** Reads users from Redis. All methods throw RedisUnavailableError. */
@Injectable()
export class UserReader {
  private readonly keys: UserSlotKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
  ) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /** The result may be out of date: a script that writes checks it again. */
  async find(userId: string, deadline: Deadline): Promise<RedisRecord | undefined> {
    return this.redis.run(scripts.find, this.findKeys(userId), [0], deadline);
  }

  /** Reads a user without the password hash. The result may be out of date. */
  async findProfile(userId: string, deadline: Deadline): Promise<RedisProfile | undefined> {
    return this.redis.run(scripts.findProfile, [this.keys.record(userId)], [], deadline);
  }

  /** Reads the current state of a user without the password hash: no master that was replaced can answer. */
  async confirmProfile(userId: string, deadline: Deadline): Promise<RedisProfile | undefined> {
    const { script, keys, args } = this.confirmCall(userId);
    return this.redis.readConfirmed(script, keys, args, deadline);
  }

  /** Does the same, and registers this instance as a holder: the next change then calls the listeners of the user (`onDrop`). */
  async confirmAndWatchProfile(
    userId: string,
    deadline: Deadline,
  ): Promise<RedisProfile | undefined> {
    return this.cache.readAsHolder(userSubject(userId), this.confirmCall(userId), deadline);
  }

  /** Returns a stand-in with the id '' for an unknown user. This takes as long as for a known user (OWASP ASVS 6.3.8). */
  async findOrStandIn(userId: string, deadline: Deadline): Promise<RedisRecord | undefined> {
    return this.redis.run(scripts.find, this.findKeys(userId), [1], deadline);
  }

  /** The copy of a user of another store. */
  async findCopy(userId: string, deadline: Deadline): Promise<UserCopy> {
    return this.redis.run(scripts.findCopy, [this.keys.record(userId)], [], deadline);
  }

  /**
   * Lists the ids of all users who can have sessions. The list may include incomplete registrations and recently deleted
   * users. Only for the work of operators, because it scans all keys.
   *
   * @throws MissingRightError
   */
  async ids(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.idsIn(this.keys.anyRecord, deadline);
  }

  /**
   * Lists the ids of all users whose password hash has a key of its own. The list may include deleted users. Only for the work of
   * operators, because it scans all keys.
   *
   * @throws MissingRightError
   */
  async idsWithHash(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.idsIn(this.keys.anyPasswordHash, deadline);
  }

  /** @returns when and how the user authenticated from whom a refresh token comes; undefined when its session has no such token */
  async authenticationOf(
    userId: string,
    sessionId: string,
    refreshToken: Secret,
    deadline: Deadline,
  ): Promise<Authentication | undefined> {
    const keys = [this.keys.sessions(userId), this.keys.refreshAnswers(userId, sessionId)];
    const args = [sessionId, sha256(refreshToken.reveal())];
    return this.redis.run(scripts.authentication, keys, args, deadline);
  }

  /**
   * Announces unfinished changes of a user; see `NearCache.settle`.
   *
   * @throws NotConfirmedError
   */
  async settle(userId: string, deadline: Deadline): Promise<void> {
    await this.cache.settle(userSubject(userId), deadline);
  }

  private async idsIn(pattern: string, deadline: Deadline): Promise<ReadonlySet<string>> {
    const keys = await this.redis.scanKeys(pattern, deadline);
    return new Set(Array.from(keys, (key) => this.keys.userIdIn(key)));
  }

  private confirmCall(userId: string): SlotCall<RedisProfile | undefined> {
    const keys = [this.keys.record(userId), this.keys.fence(userId)];
    return { script: scripts.confirmProfile, keys, args: [] };
  }

  private findKeys(userId: string): string[] {
    return [this.keys.record(userId), this.keys.passwordHash(userId)];
  }
}

function parseAuthentication(reply: unknown): Authentication | undefined {
  const [time, methods] = reply as [number?, string?];
  return time === undefined || methods === undefined
    ? undefined
    : { time, methods: JSON.parse(methods) as AuthenticationMethod[] };
}

function parseCopy(reply: unknown): UserCopy {
  const [version, ...fields] = reply as [string, ...string[]];
  return { version: version || undefined, user: parseUser(fields) };
}
