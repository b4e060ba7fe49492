import type { Deadline } from '../../common/deadline/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';

/** Which users are listed: those who meet all conditions. */
export interface UserQuery {
  /** The beginning of the user name or of the e-mail address, in any case. */
  readonly beginning?: string | undefined;
  readonly role?: string | undefined;
  readonly isDisabled?: boolean | undefined;
}

export interface UserPage {
  readonly users: readonly UserRecord[];
  /** Where the next page begins. Undefined: there are no more users. */
  readonly next: string | undefined;
}

/**
 * Lists users. If you replace the user store, you can provide your own directory beside it; without one, `GET /api/users` answers
 * that listing is not supported.
 *
 * A user who exists, and meets the conditions, during the whole listing is listed exactly once. A user who comes, goes or changes
 * meanwhile may be missing.
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
}

export const USER_DIRECTORY = Symbol('USER_DIRECTORY');
