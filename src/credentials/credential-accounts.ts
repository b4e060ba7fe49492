import type { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import type { UserRecord } from '../user-slot/read/index.js';

/**
 * What credentials need of accounts. The module `users` implements this port, so that it can import credentials and not the
 * other way round.
 *
 * All methods with a deadline throw RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError and UserStoreError.
 */
export interface CredentialAccounts {
  /** Maps all spellings of one user name to one text. */
  canonicalName(username: string): string;

  /** @param username as the client sent it, in any spelling */
  findByName(username: string, deadline: Deadline): Promise<UserRecord | undefined>;

  find(userId: string, deadline: Deadline): Promise<UserRecord | undefined>;

  /** Repeats the announcement of a change that may have reached the store without reaching every instance. */
  reload(userId: string, deadline: Deadline): Promise<unknown>;

  /**
   * Makes sure that sessions of a user can start, after the user's credential was verified.
   *
   * @returns the current user, or undefined when the user is gone or has another password
   */
  prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined>;

  /** Replaces the hash of an unchanged password, if it is still the one that was verified. */
  renewHash(userId: string, verified: Secret, renewed: Secret, deadline: Deadline): Promise<void>;
}

export const CREDENTIAL_ACCOUNTS = Symbol('CREDENTIAL_ACCOUNTS');
