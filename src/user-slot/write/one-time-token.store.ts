import { Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { isOne, slotScript } from '../slot-script.js';
import { UserSlotKeys } from '../user-slot.keys.js';

const scripts = {
  put: slotScript('put-one-time-token', isOne),
  find: slotScript('find-one-time-token', (reply) => reply as [kind?: string, binding?: string]),
  remove: slotScript('remove-one-time-token', isOne),
};

/** More mails with links than strangers can cause while a link for a new password is valid. */
const MAX_TOKENS_PER_KIND = 10;

/** One-time tokens of users. Only their digests are stored. All valid tokens of a kind have the same binding. */
@Injectable()
export class OneTimeTokenStore {
  private readonly keys: UserSlotKeys;

  constructor(private readonly redis: RedisCluster) {
    this.keys = new UserSlotKeys(redis.keys);
  }

  /**
   * Stores a token. It replaces those of its kind with another binding.
   *
   * @param binding what the token is bound to; becomes JSON
   * @throws NotConfirmedError
   */
  async put(
    userId: string,
    kind: string,
    hash: string,
    binding: object,
    ttlMs: number,
    deadline: Deadline,
  ): Promise<void> {
    const args = [kind, hash, JSON.stringify(binding), ttlMs, MAX_TOKENS_PER_KIND];
    await this.redis.runDurably(scripts.put, [this.keys.oneTimeTokens(userId)], args, deadline);
  }

  /**
   * Finds a token that has not expired. It stays valid: the caller makes a change after which the binding does not fit any more.
   *
   * @throws RedisUnavailableError
   */
  async find(
    userId: string,
    kinds: readonly string[],
    hash: string,
    deadline: Deadline,
  ): Promise<{ readonly kind: string; readonly binding: unknown } | undefined> {
    const keys = [this.keys.oneTimeTokens(userId), this.keys.fence(userId)];
    const args = [hash, ...kinds];
    const [kind, binding] = await this.redis.readConfirmed(scripts.find, keys, args, deadline);
    return kind === undefined || binding === undefined
      ? undefined
      : { kind, binding: JSON.parse(binding) as unknown };
  }

  /** Removes a token that was used, and those with the same binding. @throws RedisUnavailableError */
  async remove(userId: string, kind: string, hash: string, deadline: Deadline): Promise<void> {
    const keys = [this.keys.oneTimeTokens(userId)];
    await this.redis.run(scripts.remove, keys, [kind, hash], deadline);
  }
}
