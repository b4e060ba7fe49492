import type { Secret } from '../../common/secret/index.js';

/**
 * How passwords are hashed and verified. The default is Argon2id. A bounded queue makes a few calls at a time
 * (`HashingOptions`), so a hasher needs no limit and no deadline of its own. It must not do its work on the event loop.
 *
 * @example
 * class ScryptPasswordHasher implements PasswordHasher { … }
 * UsersModule.forRootAsync({ …, passwordHasher: { useClass: ScryptPasswordHasher } })
 */
export interface PasswordHasher {
  /**
   * @param password in NFC, from 1 to several thousand characters of any kind. The hash must depend on every character
   * @returns a text that contains the hash, its parameters and its salt, but no secret. `verify` needs nothing else except
   * the password
   */
  hash(password: Secret): Promise<string>;

  /**
   * @param hash a hash that this hasher, an older version of it, or a previous hasher created. Return false for any other
   * text. Keyslot itself verifies hashes that were imported from other systems
   * @param password as in `hash`
   */
  verify(hash: string, password: Secret): Promise<boolean>;

  /**
   * Whether a hash was created with weaker parameters than the current ones. The next successful check of the password replaces
   * an outdated hash.
   */
  isOutdated(hash: string): boolean;
}

export const PASSWORD_HASHER = Symbol('PASSWORD_HASHER');
