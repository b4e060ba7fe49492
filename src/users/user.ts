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

/** Changes that users may make to themselves. Null clears a member, undefined leaves it unchanged. */
export interface ProfileChange {
  readonly email?: string | null | undefined;
  readonly displayName?: string | null | undefined;
}

/** Changes that administrators may make. */
export interface UserChange extends ProfileChange {
  readonly roles?: readonly string[] | undefined;
  /** Becoming true ends all sessions of the user permanently. */
  readonly disabled?: boolean | undefined;
}
