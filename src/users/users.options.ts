import { availableParallelism } from 'node:os';

import type { Secret } from '../common/secret/index.js';

export interface UsersOptions {
  /** Whether anyone may register. */
  readonly isRegistrationOpen: boolean;
  /** In characters (code points); never below 8. Default 15 (NIST SP 800-63B-4 section 3.1.1.2). */
  readonly passwordMinLength?: number;
  /**
   * How long a name stays claimed by a registration that does not come to its end, in milliseconds. Longer than the
   * longest registration; shorter means that a name is free again sooner after a crash. Default 15000.
   */
  readonly nameClaimTtlMs?: number;
  readonly hashing?: Partial<HashingOptions>;
  /** An administrator to be made at start, if no user has this name. Default: none. */
  readonly administrator?: { readonly username: string; readonly password: Secret };
}

export const USERS_DEFAULTS = { passwordMinLength: 15, nameClaimTtlMs: 15_000 } as const;

export interface HashingOptions {
  /** Memory for one hash, in KiB. OWASP's floor for Argon2id with two passes. */
  readonly memoryKib: number;
  readonly passes: number;
  /** Hashes at the same time. At most three, so that one thread of Node's pool stays free for other work. */
  readonly concurrency: number;
  /** Hashes that may wait. More are refused at once: a long queue helps nobody. */
  readonly maxWaiting: number;
}

/** OWASP Password Storage Cheat Sheet, Argon2id: m = 19456 KiB, t = 2, p = 1. */
export const HASHING_DEFAULTS: HashingOptions = {
  memoryKib: 19_456,
  passes: 2,
  concurrency: Math.min(3, Math.max(1, availableParallelism() - 1)),
  maxWaiting: 64,
};
