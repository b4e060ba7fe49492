import type { Secret } from '../../common/secret/index.js';

/**
 * How passwords are hashed and verified. The default is Argon2id. A bounded queue calls it, a few calls at a time
 * (`HashingOptions`), so a hasher needs no limit and no deadline of its own. Its work must not run on the event loop.
 *
 * @example
 * class ScryptPasswordHasher implements PasswordHasher { … }
 * UsersModule.forRootAsync({ …, passwordHasher: { useClass: ScryptPasswordHasher } })
 */
export interface PasswordHasher {
  /**
   * @param password in NFC, 1 to some thousand characters of any kind; each of them has to count
   * @returns the hash with its parameters and its own salt: all that `verify` needs, as text without secrets
   */
  hash(password: Secret): Promise<string>;

  /**
   * @param hash a result of `hash`, perhaps of an older version, or of another hasher whose users this one has taken over. Text
   * that no hasher made matches no password
   * @param password as in `hash`
   */
  verify(hash: string, password: Secret): Promise<boolean>;

  /** Whether a hash was made with weaker parameters than today's. The next login with it renews it. */
  isOutdated(hash: string): boolean;
}

export const PASSWORD_HASHER = Symbol('PASSWORD_HASHER');
