import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';

/**
 * Where users are kept. The default keeps them in Redis, in the slot of their sessions. With another store, that one has the
 * truth, and Redis a copy without the password's hash, by which sessions are decided: requests with a token do not ask the
 * store, nor do logouts and the end of sessions. Registrations, logins, refreshes, and whoever reads or changes users do.
 *
 * Each call stands for itself. What it has returned from is durable, and seen by the next call of any instance. Where a
 * method has to look before it writes, nobody may come in between: one statement, or one transaction.
 *
 * A method throws `UserStoreUnavailableError` when the store cannot be asked now; the caller is then answered 503 and may
 * repeat the request. Anything else that it throws is a fault, answered 500. Nobody waits after the deadline, but what is
 * written later must still find the revision that it was meant for.
 *
 * A class may have Nest's life-cycle hooks, such as `onApplicationShutdown` to close its connections.
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

  /**
   * Changes what is named and nothing else, sets `updatedAt` to now, and gives the user a new revision. With a new password,
   * `passwordChangedAt` is now as well. A store may leave that member out: a caller that then repeats a password change that was not
   * confirmed has to send the new password as the current one.
   *
   * @param ifRevision of the user as it was found. With another one nothing is changed, so that a write that comes late does
   * not undo a newer one
   * @returns the changed user, or undefined when it has another revision or is gone
   */
  change(
    userId: string,
    change: StoredChange,
    ifRevision: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined>;

  /**
   * Replaces the hash of an unchanged password, if it is still the one that was verified. Neither `passwordVersion` nor
   * `passwordChangedAt` nor `updatedAt` changes.
   */
  renewHash(userId: string, verified: Secret, renewed: Secret, deadline: Deadline): Promise<void>;

  /**
   * Deletes a user for good. The name is free again, now or a moment later.
   *
   * @returns false when the user has another revision or is not there, and nothing was deleted; of one whom another call has
   * deleted a moment ago it may be true as well
   */
  delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean>;
}

export const USER_STORE = Symbol('USER_STORE');

export interface NewUser {
  /** A UUID. */
  readonly id: string;
  /** As it is shown; at most 64 code points. */
  readonly username: string;
  /** What makes names the same name: `Ada`, `ADA` and `Ａｄａ` have one key. Unique among users; at most 200 code points. */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: readonly string[];
}

/** The store of users cannot be asked, or did not answer in time. */
export class UserStoreUnavailableError extends Error {
  override readonly name = 'UserStoreUnavailableError';
}

/** The store of users has failed, or has said of a user what none can be. */
export class UserStoreError extends Error {
  override readonly name = 'UserStoreError';
}
