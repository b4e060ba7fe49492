import type { Deadline } from '../../common/deadline/index.js';
import { textBetween } from '../../common/validation/index.js';
import { callStore } from '../store/call-store.js';
import { UserStoreError } from '../store/user-store.js';
import { validateListedUser } from '../store/validate-user.js';
import {
  CURSOR_MAX_LENGTH,
  type UserDirectory,
  type UserPage,
  type UserQuery,
} from './user-directory.js';

const isCursor = textBetween(1, CURSOR_MAX_LENGTH);

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
  if (!Array.isArray(users)) {
    throw new UserStoreError('the directory returned a page without a list of users');
  }
  if (users.length > limit) {
    throw new UserStoreError(
      `the directory returned ${users.length} users for a limit of ${limit}`,
    );
  }
  if ((next ?? undefined) !== undefined && isCursor(next)) {
    throw new UserStoreError(
      `the directory returned an invalid cursor: 1 to ${CURSOR_MAX_LENGTH} printable characters are allowed`,
    );
  }
  return { users: users.map(validateListedUser), next: next ?? undefined };
}
