import type { Deadline } from '../../common/deadline/index.js';
import { pageFault } from '../../common/paging/index.js';
import { callStore } from '../store/call-store.js';
import { UserStoreError } from '../store/user-store.js';
import { validateListedUser } from '../store/validate-user.js';
import type { UserDirectory, UserPage, UserQuery } from './user-directory.js';

/**
 * Protects Keyslot from defects of the application's `UserDirectory`. It ends calls at the deadline, checks the returned page, and
 * keeps rows out of errors.
 */
export class ValidatingUserDirectory implements UserDirectory {
  constructor(private readonly directory: UserDirectory) {}

  /** @throws UserStoreUnavailableError, UserStoreError */
  async list(
    query: UserQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<UserPage | undefined> {
    const page = await callStore(deadline, [], () =>
      this.directory.list(query, after, limit, deadline),
    );
    return page && validatePage(page, limit);
  }
}

/** Names what is wrong, not the values. */
function validatePage({ users, next }: UserPage, limit: number): UserPage {
  const fault = pageFault(users, next, limit);
  if (fault !== undefined) {
    throw new UserStoreError(`the directory ${fault}`);
  }
  return { users: users.map(validateListedUser), next: next ?? undefined };
}
