import type { Secret } from '../common/secret/index.js';
import type { PasswordOptions } from '../credentials/index.js';

export interface UsersOptions extends PasswordOptions {
  /** Whether anyone may register. */
  readonly isRegistrationOpen: boolean;
  /**
   * How long an interrupted registration keeps its claim of a name, in milliseconds. Should be longer than the longest
   * registration: a slower one fails if another one takes over the name. With a shorter time, a name becomes free sooner after a
   * crash. Default 15000.
   */
  readonly nameClaimTtlMs?: number;
  /** Whether to correct due entries of the directory. Default true. */
  readonly doesDueWork?: boolean;
  /** An administrator to be created at start, if no user has this name. Default: none. */
  readonly administrator?: { readonly username: string; readonly password: Secret };
}

export const USERS_DEFAULTS = { nameClaimTtlMs: 15_000 } as const;
