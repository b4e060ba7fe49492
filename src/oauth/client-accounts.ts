import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { LookupBudget } from '../common/lookup-budget/index.js';
import { RateLimiter, refusalsPerAddress } from '../rate-limit/index.js';
import { ServiceAccountStore, type AccountCredentials } from '../service-accounts/index.js';

/**
 * Client secrets and keys cannot be guessed. The limit only stops clients that send many wrong ones. It is per address and never
 * per account, so nobody can lock a service account out.
 */
export const FAILURES_PER_ADDRESS = refusalsPerAddress('client-address');

/**
 * Finds the service accounts that clients name. Anybody can name any id. So for an address that has reached its limit, only a
 * bounded number of unknown ids cost a look-up in Redis. Right credentials work from there as well, if the account is in memory or
 * the number is not reached.
 */
@Injectable()
export class ClientAccounts {
  private readonly budget: LookupBudget;

  constructor(
    private readonly store: ServiceAccountStore,
    private readonly limiter: RateLimiter,
    clock: Clock,
  ) {
    this.budget = new LookupBudget(clock);
  }

  /**
   * @param network of the client: see `networkOf`
   * @returns undefined for an unknown account, and for one that may not be looked up now
   * @throws RedisUnavailableError
   */
  async find(
    id: string,
    network: string,
    deadline: Deadline,
  ): Promise<AccountCredentials | undefined> {
    const known = this.store.recallCredentials(id);
    if (known || !this.limiter.isKnownBlocked(FAILURES_PER_ADDRESS, network)) {
      return known ?? this.store.credentialsOf(id, deadline);
    }
    if (!this.budget.take()) {
      return undefined;
    }
    const account = await this.store.credentialsOf(id, deadline);
    if (account) {
      this.budget.giveBack();
    }
    return account;
  }
}
