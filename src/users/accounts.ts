import type { Deadline } from '../common/deadline/index.js';
import type { UserRecord } from './user.js';
import type { StoredChange, UserStore } from './user-store.js';

/** What a change does to the sessions of the user. A disabled user has none. */
export interface SessionsEffect {
  readonly endsSessions?: boolean;
  /** A session that does not end with the others. */
  readonly exceptSessionId?: string | undefined;
}

/**
 * The store of users together with what Redis has of them, by which sessions are decided. What `change` and `delete` have
 * returned from holds on every instance.
 *
 * All methods throw RedisUnavailableError and UserStoreUnavailableError; those that write, NotConfirmedError.
 */
export interface Accounts extends UserStore {
  change(
    userId: string,
    change: StoredChange & SessionsEffect,
    deadline: Deadline,
  ): ReturnType<UserStore['change']>;

  /**
   * Makes sure that sessions of a user can begin, whose password was just verified.
   *
   * @returns the user as it is now, or undefined when it is gone or has another password
   */
  admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /** The user, after sessions have been told what the store says of it. */
  findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Makes hold on every instance what the store says of a user: after somebody else has changed it there, or when a call
   * may have changed it without telling everybody.
   */
  reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;
}

export const ACCOUNTS = Symbol('ACCOUNTS');
