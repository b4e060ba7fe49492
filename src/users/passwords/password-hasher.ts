import type { Secret } from '../../common/secret/index.js';

/**
 * How passwords become what is stored of them, and are compared with it. The default is Argon2id. Calls come from a bounded
 * queue, a few at a time (`HashingOptions`), so a hasher has neither to limit itself nor to know of deadlines; but its work
 * must not be done on the event loop.
 *
 * @example
 * class ScryptPasswordHasher implements PasswordHasher { … }
 * UsersModule.forRootAsync({ …, passwordHasher: { useClass: ScryptPasswordHasher } })
 */
export interface PasswordHasher {
  /**
   * @param password in NFC, 1 to some thousand characters of any kind; every one of them has to count
   * @returns the hash with its parameters and a salt of its own: all that `verify` needs, as text without secrets
   */
  hash(password: Secret): Promise<string>;

  /**
   * @param hash what a `hash` returned once, perhaps an older version of it, or of another hasher whose users this one has
   * taken over. Text that no hasher made matches no password
   * @param password as in `hash`
   */
  verify(hash: string, password: Secret): Promise<boolean>;

  /** Whether a hash was made in a way that is weaker than today's. The next login with it renews it. */
  isOutdated(hash: string): boolean;
}

export const PASSWORD_HASHER = Symbol('PASSWORD_HASHER');
