import type { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import type { ProfileChange, UserRecord } from './user.js';

/**
 * Where users are kept. The default keeps them in Redis, in the slot of their sessions. With another store, that one has the
 * truth, and Redis a copy without the password's hash, so that requests with a token go on to cost it nothing: it is asked at
 * a registration, a login, a refresh, and by those who read or change users.
 *
 * Each call stands for itself. What it has returned from is durable, and seen by the next call of any instance. Where a
 * method has to look before it writes, nobody may come in between: one statement, or one transaction.
 *
 * Every method throws `UserStoreUnavailableError` when the store cannot be asked; the caller is then answered 503. A method
 * that throws may have changed the user or not, and will be called again with the same arguments. Nobody waits after the
 * deadline.
 *
 * @example
 * UsersModule.forRootAsync({ …, userStore: { useClass: SqlUserStore } })
 */
export interface UserStore {
  /**
   * Adds a user, enabled, with password version 1. Of any number of callers with one `usernameKey` one may succeed.
   *
   * @param passwordHash makes the hash, which is dear: to be called once, and not for a name that is taken. When it throws,
   * nothing is added, and the error is thrown on
   * @returns the user, or undefined when the name is taken
   */
  create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined>;

  find(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /** @param usernameKey as in `NewUser`; compared byte by byte */
  findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /** Changes what is named and nothing else, and sets `updatedAt` to now. */
  change(userId: string, change: StoredChange, deadline: Deadline): Promise<ChangeOutcome>;

  /**
   * Replaces the hash of an unchanged password, if it is still the one that was verified. Neither `passwordVersion` nor
   * `updatedAt` changes.
   */
  renewHash(userId: string, verified: Secret, renewed: Secret, deadline: Deadline): Promise<void>;

  /**
   * Deletes a user for good. The name is free again, now or a moment later.
   *
   * @param ifPasswordVersion refuses when the user has another one; undefined: whatever it is
   * @returns false when it was refused, or there is no such user
   */
  delete(
    userId: string,
    ifPasswordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean>;
}

export const USER_STORE = Symbol('USER_STORE');

export interface NewUser {
  /** A UUID. */
  readonly id: string;
  /** As it is shown; at most 64 code points. */
  readonly username: string;
  /** What makes names the same name: `Ada`, `ADA` and `Ａｄａ` have one key. Unique among users. */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: readonly string[];
}

/** New values; undefined leaves as it is, null clears. */
export interface StoredChange extends ProfileChange {
  readonly roles?: readonly string[] | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly password?: { readonly hash: Secret; readonly version: number } | undefined;
  /** Refuses the change as outdated when the user has another password version. */
  readonly ifPasswordVersion?: number | undefined;
}

export type ChangeOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  /** The password was changed since it was verified; there is no such user. Nothing was changed. */
  | { readonly outcome: 'outdated' | 'unknown' };

/** The store of users cannot be asked, or did not answer in time. */
export class UserStoreUnavailableError extends Error {
  override readonly name = 'UserStoreUnavailableError';
}
