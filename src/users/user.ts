import type { AuthenticatedUser } from '../common/authentication/index.js';
import type { Secret } from '../common/secret/index.js';

/** An account, without its credentials. */
export type User = AuthenticatedUser;

/** An account as it is stored. */
export interface UserRecord extends User {
  /** A disabled user cannot log in, and has no sessions. */
  readonly isDisabled: boolean;
  readonly passwordHash: Secret;
  /** Goes up when the password changes, not when only its hash is renewed. */
  readonly passwordVersion: number;
  /** When the password was changed last; undefined when it never was, or when the store does not tell. */
  readonly passwordChangedAt?: Date | undefined;
  /** Another one after each change; what it looks like is the store's. */
  readonly revision: string;
}

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

/** The fields of a stored user, as Redis keeps them. */
export function userFromFields(fields: ReadonlyMap<string, string>): User {
  return {
    id: fields.get('id') ?? '',
    username: fields.get('username') ?? '',
    email: fields.get('email') || null,
    displayName: fields.get('displayName') || null,
    roles: JSON.parse(fields.get('roles') ?? '[]') as string[],
    createdAt: new Date(Number(fields.get('createdAt'))),
    updatedAt: new Date(Number(fields.get('updatedAt'))),
  };
}
