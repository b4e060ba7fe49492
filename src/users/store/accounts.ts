import type { Deadline } from '../../common/deadline/index.js';
import type {
  RefusedWrite,
  SessionsEffect,
  StoredChange,
  UserRecord,
  WriteConditions,
} from '../../user-slot/read/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { NewUser, UserStore } from './user-store.js';

/** Conditions on the user. If one is not met, nothing is written. Check and write are one atomic step. */
export interface Conditions extends WriteConditions {
  /** The administrator who requests the change. Only a hint where to look for another administrator. */
  readonly knownAdministratorId?: string | undefined;
}

export interface NewAccount extends NewUser {
  /**
   * Whether the caller repeats a failed call with the same id, so that nothing must prevent a late write. What a call leaves over
   * that is not repeated is corrected like after a crash. Default false.
   */
  readonly isRepeated?: boolean;
}

/** The id of a repeated `create` belongs to another user, or to a user who was deleted within the last two hours. */
export class IdInUseError extends Error {
  override readonly name = 'IdInUseError';
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
export interface Accounts extends Pick<UserStore, 'find' | 'findByUsername' | 'renewHash'> {
  /**
   * As in `UserStore`.
   *
   * @throws IdInUseError for a repeated call
   */
  create(
    user: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined>;

  /** Whether `create` would find the name free. Only a forecast. The name of the user with this id is free for it. */
  isFree(user: NewAccount, deadline: Deadline): Promise<boolean>;

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
