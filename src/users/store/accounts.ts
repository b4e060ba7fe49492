import type { Deadline } from '../../common/deadline/index.js';
import type { UserRecord } from '../user.js';
import type { StoredChange, UserStore } from './user-store.js';

/** What a change does to the sessions of the user. One that disables the user ends them all. */
export interface SessionsEffect {
  readonly endsSessions?: boolean | undefined;
  /** A session that does not end with the others. */
  readonly exceptSessionId?: string | undefined;
}

export interface AccountChange extends StoredChange, SessionsEffect {
  /** Refuses the change as outdated when the user has another version of the password by now. */
  readonly ifPasswordVersion?: number | undefined;
}

export type ChangeOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  /** The password was changed since it was verified; there is no such user. Nothing was changed. */
  | { readonly outcome: 'outdated' | 'unknown' };

/**
 * The store of users together with what Redis has of them, by which sessions are decided. What `update`, `remove` and
 * `endSessions` have returned from holds on every instance.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write, NotConfirmedError.
 */
export interface Accounts extends Pick<
  UserStore,
  'create' | 'find' | 'findByUsername' | 'renewHash'
> {
  update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome>;

  /** @returns false when the user has another version of the password than this one, or is gone */
  remove(
    userId: string,
    ifPasswordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean>;

  /** @returns whether there is such a user */
  endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean>;

  /**
   * Makes sure that sessions of a user can begin, whose password was just verified.
   *
   * @returns the user as it is now, or undefined when it is gone or has another password
   */
  admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /** The user, after every instance has been told what the store says of it. */
  findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Makes hold on every instance what the store says of a user: after somebody else has changed it there, or when a call
   * may have changed it without telling everybody.
   */
  reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;
}

export const ACCOUNTS = Symbol('ACCOUNTS');
