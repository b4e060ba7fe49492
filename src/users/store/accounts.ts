import type { Deadline } from '../../common/deadline/index.js';
import type {
  RefusedWrite,
  SessionsEffect,
  StoredChange,
  UserRecord,
  WriteConditions,
} from '../../user-slot/read/index.js';
import type { UserStore } from './user-store.js';

/** Conditions on the user, without which nothing is written. One step checks them and writes. */
export interface Conditions extends WriteConditions {
  /** Another administrator: the one who requests the change. Only a hint. */
  readonly knownAdministratorId?: string | undefined;
}

export interface AccountChange extends StoredChange, SessionsEffect, Conditions {}

/** Nothing was written. */
export type Unwritten =
  | RefusedWrite
  /** No other administrator is known. */
  | { readonly outcome: 'last-administrator' };

export type ChangeOutcome = { readonly outcome: 'changed'; readonly user: UserRecord } | Unwritten;

export type RemovalOutcome = { readonly outcome: 'removed' } | Unwritten;

export type EndOutcome = { readonly outcome: 'ended' } | Unwritten;

/**
 * The store of users together with their state in Redis, which decides about sessions. `update`, `remove` and `endSessions` take
 * effect on every instance before they return.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write, NotConfirmedError.
 */
export interface Accounts extends Pick<
  UserStore,
  'create' | 'find' | 'findByUsername' | 'renewHash'
> {
  update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome>;

  remove(userId: string, conditions: Conditions, deadline: Deadline): Promise<RemovalOutcome>;

  /** Ends all sessions of a user except `exceptSessionId`. */
  endSessions(
    userId: string,
    conditions: Pick<SessionsEffect, 'exceptSessionId'> & Pick<Conditions, 'unlessRoles'>,
    deadline: Deadline,
  ): Promise<EndOutcome>;

  /**
   * Makes sure that sessions of a user can start, after the user's password was verified.
   *
   * @returns the current user, or undefined when the user is gone or has another password
   */
  prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /** The current user of the store, after every instance has applied its state. */
  findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Applies the user's state in the store on every instance: after other software has changed it there, or when a call may have
   * changed it without announcing that.
   */
  reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;
}

export const ACCOUNTS = Symbol('ACCOUNTS');
