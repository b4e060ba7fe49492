import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import {
  KeyRotation,
  KEYS_OPTIONS,
  KeySetStore,
  type KeySet,
  type KeysOptions,
  type RotateOutcome,
  type WithdrawOutcome,
} from './write/index.js';

/** Lists, rotates and withdraws signing keys on behalf of administrators, as the command `keys` does for operators. */
@Injectable()
export class KeyAdministration {
  private readonly store: KeySetStore;

  constructor(
    redis: RedisCluster,
    cache: NearCache,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {
    this.store = new KeySetStore(redis, cache, clock);
  }

  /** @throws RedisUnavailableError */
  async list(origin: Origin, deadline: Deadline): Promise<KeySet> {
    return this.rotationFor(origin).existing(deadline);
  }

  /**
   * Publishes a successor of the key that signs.
   *
   * @param replaced the key that signs, as the caller has read it. If another key signs, nothing changes
   * @throws NotConfirmedError
   */
  async rotate(
    replaced: string,
    isNow: boolean,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RotateOutcome> {
    return this.rotationFor(origin).rotate(replaced, isNow, deadline);
  }

  /** @throws NotConfirmedError */
  async withdraw(
    kid: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<WithdrawOutcome['outcome']> {
    return (await this.rotationFor(origin).withdraw(kid, deadline)).outcome;
  }

  private rotationFor(origin: Origin): KeyRotation {
    return new KeyRotation(this.store, this.clock, this.audit, {
      // Only the schedule uses it.
      lifetimeMs: Infinity,
      encryptionSecret: () => this.options.encryptionSecret,
      origin,
    });
  }
}
