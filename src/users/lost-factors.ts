import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import { Origin } from '../common/origin/index.js';
import { findByUsername } from './find-by-username.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { UserAdministration } from './user-administration.js';

/** For an operator at the command line: a user, such as the last administrator, has lost all second factors. */
@Injectable()
export class LostFactors {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly administration: UserAdministration,
  ) {}

  /**
   * Removes all second factors of a user. All sessions of the user end.
   *
   * @returns the id of the user; undefined when there is no such user
   * @throws RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async remove(username: string, deadline: Deadline): Promise<string | undefined> {
    const user = await findByUsername(this.accounts, username, deadline);
    if (!user) {
      return undefined;
    }
    const result = await this.administration.removeFactors(
      'system',
      user.id,
      Origin.operator,
      deadline,
    );
    return result.outcome === 'removed' ? user.id : undefined;
  }
}
