import type { Deadline } from '../../common/deadline/index.js';
import type {
  RefusedWrite,
  SessionsEffect,
  StoredChange,
  UserRecord,
  WriteConditions,
} from '../../user-slot/read/index.js';
import type { UserStore } from './user-store.js';

/** What has to be true of a user, or nothing is written. Checked and written in one step. */
export interface Conditions extends WriteConditions {
  /** An administrator besides the user: the one who asks for the change. Only a hint. */
  readonly knownAdministratorId?: string | undefined;
}

export interface AccountChange extends StoredChange, SessionsEffect, Conditions {}

/** Nothing was written. */
export type Unwritten =
  | RefusedWrite
  /** Nobody else is known as an administrator. */
  | { readonly outcome: 'last-administrator' };

export type ChangeOutcome = { readonly outcome: 'changed'; readonly user: UserRecord } | Unwritten;

export type RemovalOutcome = { readonly outcome: 'removed' } | Unwritten;

export type EndOutcome = { readonly outcome: 'ended' } | Unwritten;

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

  remove(userId: string, conditions: Conditions, deadline: Deadline): Promise<RemovalOutcome>;

  /** Ends all sessions of a user but one. */
  endSessions(
    userId: string,
    conditions: Pick<SessionsEffect, 'exceptSessionId'> & Pick<Conditions, 'unlessRoles'>,
    deadline: Deadline,
  ): Promise<EndOutcome>;

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
