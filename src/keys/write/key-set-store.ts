import { Injectable } from '@nestjs/common';

import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { NearCache } from '../../near-cache/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { keySetKey, KEYS_SUBJECT } from '../read/index.js';
import type { KeyCandidate } from './key-candidate.js';
import { parseKeySet, type KeySet } from './key-set.js';
import { PUBLICATION_MS, RETENTION_MS, WITHDRAWAL_MEMORY_MS } from './key-times.js';

const load = LuaScript.loaderFor(import.meta.url);
const isOne = (reply: unknown): boolean => reply === 1;
const scripts = {
  describe: load('describe-keys', parseKeySet),
  publish: load('publish-key', isOne),
  promote: load('promote-key', isOne),
  withdraw: load('withdraw-key', isOne),
  remove: load('remove-keys', isOne),
  scheduleRemoval: load('schedule-removal', isOne),
  adopt: load('adopt-key', isOne),
};

/**
 * The stored key set. Each change is one script that names the keys that it expects, so a repeated or late change has no effect.
 * When a change of keys has returned, every instance knows the new set. Returned booleans say whether this call made the
 * change. They are false if the script had to run twice, so only audit events depend on them.
 *
 * All methods throw NotConfirmedError; `read` throws RedisUnavailableError. Repeating a call is safe.
 */
@Injectable()
export class KeySetStore {
  private readonly setKey: string;
  private readonly fenceKey: string;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly clock: Clock,
  ) {
    this.setKey = keySetKey(redis.keys, 'set');
    this.fenceKey = keySetKey(redis.keys, 'fence');
  }

  /** Reads the key set from Redis. @returns undefined when the cluster has no key */
  async read(deadline: Deadline): Promise<KeySet | undefined> {
    return this.redis.readConfirmed(scripts.describe, [this.setKey, this.fenceKey], [], deadline);
  }

  /** When it returns, every instance knows all changes that were written before, also those whose caller has crashed. */
  async settle(deadline: Deadline): Promise<void> {
    await this.cache.settle(KEYS_SUBJECT, deadline);
  }

  /** @param replaced the key that signs now */
  async publish(key: KeyCandidate, replaced: string, deadline: Deadline): Promise<boolean> {
    const { kid, publicJwk, encryptedKey } = key;
    return this.change(
      scripts.publish,
      [kid, publicJwk, encryptedKey, replaced, this.clock.now(), PUBLICATION_MS],
      deadline,
    );
  }

  /** The published key replaces the key that signs. Call `settle` after you have read the published key, and before this. */
  async promote(kid: string, replaced: string, deadline: Deadline): Promise<boolean> {
    return this.change(scripts.promote, [kid, replaced, this.clock.now()], deadline);
  }

  /**
   * Removes a key at once.
   *
   * @param successor the published key, if the removed key signs. Call `settle` as before `promote`
   */
  async withdraw(kid: string, successor: string | undefined, deadline: Deadline): Promise<boolean> {
    const args = [kid, successor ?? '', this.clock.now(), WITHDRAWAL_MEMORY_MS];
    return this.change(scripts.withdraw, args, deadline);
  }

  async remove(kids: readonly string[], deadline: Deadline): Promise<void> {
    await this.change(scripts.remove, kids, deadline);
  }

  /** Call `settle` after you have read the retired keys, and before this: then no instance signs with them. */
  async scheduleRemoval(kids: readonly string[], deadline: Deadline): Promise<void> {
    const keys = [this.setKey, this.fenceKey];
    const args = [this.clock.now(), RETENTION_MS, ...kids];
    await this.redis.runDurably(scripts.scheduleRemoval, keys, args, deadline);
  }

  async adopt(kid: string, deadline: Deadline): Promise<void> {
    const keys = [this.setKey, this.fenceKey];
    await this.redis.runDurably(scripts.adopt, keys, [kid, this.clock.now()], deadline);
  }

  private async change(
    script: LuaScript<boolean>,
    args: readonly (string | number)[],
    deadline: Deadline,
  ): Promise<boolean> {
    return this.cache.changeInSlot(KEYS_SUBJECT, { script, keys: [this.setKey], args }, deadline);
  }
}
