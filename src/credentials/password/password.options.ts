import { availableParallelism } from 'node:os';

export interface PasswordOptions {
  /** In characters (code points); never below 8. Default 15 (NIST SP 800-63B-4 section 3.1.1.2). */
  readonly passwordMinLength?: number;
  readonly hashing?: Partial<HashingOptions>;
}

export const PASSWORD_OPTIONS = Symbol('PASSWORD_OPTIONS');

export const PASSWORD_DEFAULTS = { passwordMinLength: 15 } as const;
/** For a user with a second factor (NIST SP 800-63B-4 section 3.1.1.2). No configured minimum is lower. */
export const MIN_LENGTH_WITH_SECOND_FACTOR = 8;

export interface HashingOptions {
  /** Memory for one hash, in KiB. Default: OWASP's minimum for Argon2id with two passes. */
  readonly memoryKib: number;
  readonly passes: number;
  /**
   * Number of hashes that run at the same time. Use at most three, so that one of the four threads of Node's pool stays free
   * for other work.
   */
  readonly concurrency: number;
  /**
   * Number of hashes that may wait. When the queue is full, one entry is refused at once, because entries of a longer queue
   * would only time out.
   */
  readonly maxWaiting: number;
}

/** OWASP Password Storage Cheat Sheet, Argon2id: m = 19456 KiB, t = 2, p = 1. */
export const HASHING_DEFAULTS: HashingOptions = {
  memoryKib: 19_456,
  passes: 2,
  concurrency: Math.min(3, Math.max(1, availableParallelism() - 1)),
  maxWaiting: 64,
};
