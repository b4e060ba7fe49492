import type { AuthenticatedUser } from '../common/authentication/index.js';
import type { Secret } from '../common/secret/index.js';

export type { UserRecord } from '../user-slot/read/index.js';

/** An account, without its credentials. */
export type User = AuthenticatedUser;

/** A user without a password, who sets it with a link in a mail. */
export interface Invitation {
  readonly username: string;
  /** Needed, because the mail goes there. */
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

export interface Registration extends Invitation {
  readonly password: Secret;
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
  /** Whether the address, after this change, belongs to the user: the caller has found out. */
  readonly emailVerified?: boolean | undefined;
}
