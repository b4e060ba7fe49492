import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';

/**
 * Where users are stored. The default stores them in Redis, in the slot of their sessions. If you replace it, your store is the
 * source of truth. Redis then has a copy without the password hash, which decides which sessions are live. Registrations,
 * logins, refreshes, and reads and changes of users call the store. Other requests with a token, logouts and the end of
 * sessions do not.
 *
 * Each call is independent. When it returns, its change is durable, and the next call of any instance sees it. A method that
 * reads before it writes must be atomic: one statement, or one transaction.
 *
 * A method throws `UserStoreUnavailableError` when the store is unavailable. The client then gets 503 and may repeat the
 * request. Any other error is a defect, and the client gets 500. Keyslot stops waiting at the deadline. A write that is made
 * later must still check the revision.
 *
 * A class may have Nest's lifecycle hooks, such as `onApplicationShutdown` to close its connections.
 *
 * @example
 * UsersModule.forRootAsync({ …, userStore: { useClass: SqlUserStore } })
 */
export interface UserStore {
  /**
   * Adds a user with password version 1. Of several concurrent callers with the same `usernameKey`, at most one succeeds.
   *
   * @param passwordHash computes the hash, which is expensive: call it once, and not for a taken name. When it throws, add nothing
   * and rethrow the error. The hash is empty for an invited user, who has no password yet
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
   * Changes only the given members, sets `updatedAt` to now, and gives the user a new revision. With a new password, also sets
   * `passwordChangedAt` to now. A store may omit `passwordChangedAt`. A client that repeats an unconfirmed password change must
   * then send the new password as the current one. A store may omit `verifiedEmail`: its users then cannot confirm an address, and get
   * no mails.
   *
   * @param ifRevision the revision that was read. If the user has another one, nothing is changed, so that a late write does not
   * undo a newer one
   * @returns the changed user, or undefined when the user has another revision or does not exist
   */
  change(
    userId: string,
    change: StoredChange,
    ifRevision: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined>;

  /**
   * Replaces the hash of an unchanged password, if the stored hash is still `verified`. `passwordVersion`, `passwordChangedAt`
   * and `updatedAt` stay unchanged.
   */
  renewHash(userId: string, verified: Secret, renewed: Secret, deadline: Deadline): Promise<void>;

  /**
   * Deletes a user permanently. The name becomes free at once or shortly afterwards.
   *
   * @returns false when the user has another revision or does not exist, so that nothing was deleted. May be true for a user
   * that another call has just deleted
   */
  delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean>;
}

export const USER_STORE = Symbol('USER_STORE');

export interface NewUser {
  /** A UUID. */
  readonly id: string;
  /** The displayed form; at most 64 code points. */
  readonly username: string;
  /** The canonical form: `Ada`, `ADA` and `Ａｄａ` have one key. Unique among users; at most 200 code points. */
  readonly usernameKey: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  /** When another system has created the user. Only for an imported user. A store may ignore it. Default: now. */
  readonly createdAt?: Date | undefined;
  /**
   * Only for an imported user. If the store ignores it, the import disables the user immediately afterwards. Default false.
   */
  readonly isDisabled?: boolean | undefined;
  /** The confirmed address. Only for an imported user. If the store ignores it, the import sets it with `change`. Default null. */
  readonly verifiedEmail?: string | null | undefined;
}

/** The user store is unavailable, or did not respond in time. */
export class UserStoreUnavailableError extends Error {
  override readonly name = 'UserStoreUnavailableError';
}

/** The user store has failed, or returned an invalid user. */
export class UserStoreError extends Error {
  override readonly name = 'UserStoreError';
}
