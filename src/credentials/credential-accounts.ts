import type { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import type { UserRecord } from '../user-slot/read/index.js';

/**
 * The operations on accounts that this module needs. The module `users` implements this interface. `users` can therefore import
 * `credentials`, while `credentials` does not import `users`.
 *
 * All methods with a deadline throw RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError and UserStoreError.
 */
export interface CredentialAccounts {
  /** Maps all spellings of one user name to one text. */
  canonicalName(username: string): string;

  /** @param username as the client sent it, in any spelling */
  findByName(username: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * The first half of `findByName`, which reads no user.
   *
   * @returns the second half, which reads the user
   */
  locate(username: string, deadline: Deadline): Promise<() => Promise<UserRecord | undefined>>;

  find(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /**
   * Announces the last change of the user again. An earlier call may have written it to the store and crashed before it
   * announced it.
   */
  reload(userId: string, deadline: Deadline): Promise<unknown>;

  /**
   * Call it after the credential of a user was verified. It prepares the user for a new session: it completes an interrupted
   * registration and brings the state in Redis up to date.
   *
   * @returns the current user, or undefined when the user was deleted or has another password
   */
  prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /** Replaces the hash of an unchanged password, if the stored hash is still `verified`. */
  renewHash(userId: string, verified: Secret, renewed: Secret, deadline: Deadline): Promise<void>;
}

export const CREDENTIAL_ACCOUNTS = Symbol('CREDENTIAL_ACCOUNTS');
