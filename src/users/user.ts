import type { AuthenticatedUser } from '../common/authentication/index.js';
import type { Secret } from '../common/secret/index.js';

export type { UserRecord } from '../user-slot/read/index.js';

/** An account, without its credentials. */
export type User = AuthenticatedUser;

export interface Registration {
  readonly username: string;
  readonly password: Secret;
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

/** What a user may change; null clears, undefined leaves as it is. */
export interface ProfileChange {
  readonly email?: string | null | undefined;
  readonly displayName?: string | null | undefined;
}

/** What an administrator may change. */
export interface UserChange extends ProfileChange {
  readonly roles?: readonly string[] | undefined;
  /** Ends all sessions of the user, for good, when it becomes true. */
  readonly disabled?: boolean | undefined;
}
