import type { Deadline } from '../../common/deadline/index.js';
import type {
  RefusedWrite,
  SessionsEffect,
  StoredChange,
  UserRecord,
  WriteConditions,
} from '../../user-slot/read/index.js';
import type { UserStore } from './user-store.js';

/** Conditions on the user. If one is not met, nothing is written. Check and write are one atomic step. */
export interface Conditions extends WriteConditions {
  /** The administrator who requests the change. Only a hint where to look for another administrator. */
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
 * The users in their store, together with the state in Redis that decides which sessions are live. `update`, `remove` and
 * `endSessions` take effect on every instance before they return.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write, NotConfirmedError.
 */
export interface Accounts extends Pick<
  UserStore,
  'create' | 'find' | 'findByUsername' | 'renewHash'
> {
  /**
   * The first half of `findByUsername`, which reads no user.
   *
   * @returns the second half, which reads the user
   */
  locate(usernameKey: string, deadline: Deadline): Promise<() => Promise<UserRecord | undefined>>;

  update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome>;

  remove(userId: string, conditions: Conditions, deadline: Deadline): Promise<RemovalOutcome>;

  /** Ends all sessions of a user except `exceptSessionId`. */
  endSessions(
    userId: string,
    conditions: Pick<SessionsEffect, 'exceptSessionId'> & Pick<Conditions, 'unlessRoles'>,
    deadline: Deadline,
  ): Promise<EndOutcome>;

  /**
   * Prepares the start of a session, after the user's password was verified.
   *
   * @returns the current user, or undefined when the user was deleted or has another password
   */
  prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Reads the user from the store. If Redis has a copy, every instance has applied this state of it when the method returns.
   */
  findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Applies the user's state in the store on every instance. Use it after other software has changed the user there, or when an
   * earlier call may have failed before it announced its change.
   */
  reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;
}

export const ACCOUNTS = Symbol('ACCOUNTS');
