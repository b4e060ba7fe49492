import type { Deadline } from '../../common/deadline/index.js';
import type { User } from '../user.js';

/** Which users are listed: those who meet all conditions. */
export interface UserQuery {
  /**
   * The prefix of the user name or of the e-mail address, in any case; at most 254 characters. `canonicalUsername` folds it as it
   * folds names.
   */
  readonly prefix?: string | undefined;
  readonly role?: string | undefined;
  readonly isDisabled?: boolean | undefined;
}

/** A user without the password. */
export interface ListedUser extends User {
  readonly isDisabled: boolean;
}

export interface UserPage {
  readonly users: readonly ListedUser[];
  /**
   * Where the next page begins: 1 to 2000 printable characters, which the client sends back. Undefined: there are no more users.
   */
  readonly next: string | undefined;
}

/**
 * Lists users in the order of the code points of their folded names; with a prefix, those found by name first, then those found by
 * address. If you replace the user store, you can provide a directory of its users. Without one, `GET /api/users` answers 501
 * `listing-not-supported`.
 *
 * A user who exists and does not change during the whole listing is listed exactly once. A user who is created, changed or deleted
 * meanwhile may be missing, or be listed twice.
 *
 * A method throws `UserStoreUnavailableError` when the directory is unavailable. The client then gets 503 and may repeat the
 * request. Any other error is a defect, and the client gets 500. Keyslot stops waiting at the deadline.
 *
 * @example
 * run({ userStore: { useClass: SqlUserStore }, userDirectory: { useClass: SqlUserDirectory } })
 */
export interface UserDirectory {
  /**
   * @param after `next` of the previous page with the same query; undefined for the first page
   * @param limit the maximum number of users, 1 to 100. A page may have fewer users although it has a next page
   * @returns undefined when `after` is not from this directory
   * @throws RedisUnavailableError, UserStoreUnavailableError
   */
  list(
    query: UserQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<UserPage | undefined>;

  /**
   * Finds users who have confirmed an e-mail address, in any case. For password resets. Without this method, a user can request one
   * only by user name.
   *
   * @param limit the maximum number of users
   * @throws RedisUnavailableError, UserStoreUnavailableError
   */
  findByVerifiedEmail?(
    address: string,
    limit: number,
    deadline: Deadline,
  ): Promise<readonly User[]>;
}

export const USER_DIRECTORY = Symbol('USER_DIRECTORY');
