import type { AuthenticatedUser } from '../common/authentication/index.js';
import { Secret } from '../common/secret/index.js';
import type { StoredUser } from './stored-format.js';

/** An account as it is stored. */
export interface UserRecord extends AuthenticatedUser {
  /** A disabled user cannot log in, and has no sessions. */
  readonly isDisabled: boolean;
  readonly passwordHash: Secret;
  /** Increases when the password changes, but not when only its hash is renewed. */
  readonly passwordVersion: number;
  /** When the password was last changed; undefined when it never was, or when the store does not record it. */
  readonly passwordChangedAt?: Date | undefined;
  /** Changes with each change of the user. The store chooses its format. */
  readonly revision: string;
}

/** A user who is stored in Redis. */
export interface RedisRecord extends UserRecord {
  /** Whether the registration is incomplete: the name is not confirmed. A login completes it. */
  readonly isProvisional: boolean;
  /** Whether the skeletons of the name are claimed. False for users from before version 0.2 who have not logged in since. */
  readonly hasSkeletons: boolean;
}

/** The same without the password. */
export type RedisProfile = Omit<RedisRecord, 'passwordHash'>;

/** The copy in Redis of a user of another store. */
export interface UserCopy {
  /** Changes with each write; undefined when there is no copy. */
  readonly version: string | undefined;
  /** Without the password hash. */
  readonly user: UserRecord | undefined;
}

/** New values. `undefined` leaves a field unchanged, and `null` clears it. */
export interface StoredChange {
  readonly email?: string | null | undefined;
  /** The address that the user has confirmed. It counts only while it equals the address. */
  readonly verifiedEmail?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly password?: { readonly hash: Secret; readonly version: number } | undefined;
}

/** The effect of a change on the sessions of the user. A change that disables the user ends all of them. */
export interface SessionsEffect {
  readonly endsSessions?: boolean | undefined;
  /** A session that stays live when the others end. */
  readonly exceptSessionId?: string | undefined;
}

/** Conditions on the stored user. If one is not met, nothing is written. Check and write are one atomic step. */
export interface WriteConditions {
  /** The version of the password that was verified. */
  readonly ifPasswordVersion?: number | undefined;
  /** The revision that the caller has read. */
  readonly ifRevision?: string | undefined;
  /** Roles that the user must not have. */
  readonly unlessRoles?: readonly string[] | undefined;
}

/** A condition was not met, and nothing was written. */
export type RefusedWrite =
  /** `outdated`: the password or the revision has changed. `unknown`: there is no such user. */
  | { readonly outcome: 'outdated' | 'unknown' }
  /** The user has a role of `unlessRoles`. */
  | { readonly outcome: 'protected'; readonly role: string };

/** @param fields of `StoredUser`, as they are stored in Redis */
export function userFromFields(fields: ReadonlyMap<string, string>): AuthenticatedUser {
  const email = fields.get('email') || null;
  return {
    id: fields.get('id') ?? '',
    username: fields.get('username') ?? '',
    email,
    // Many users are held in memory: one text for both, and no member without an address.
    ...(email !== null && fields.get('verifiedEmail') === email ? { verifiedEmail: email } : {}),
    hasSecondFactor: fields.get('secondFactor') === '1',
    displayName: fields.get('displayName') || null,
    roles: JSON.parse(fields.get('roles') ?? '[]') as string[],
    createdAt: new Date(Number(fields.get('createdAt'))),
    updatedAt: new Date(Number(fields.get('updatedAt'))),
  };
}

/** @param reply fields and values of a `StoredUser`, empty for none. Of two values of a field, the last one counts */
export function parseUser(reply: unknown): RedisRecord | undefined {
  const list = reply as string[];
  if (list.length === 0) {
    return undefined;
  }
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    fields.set(list[index]!, list[index + 1]!);
  }
  const of = (name: keyof StoredUser): string | undefined => fields.get(name);
  const passwordChangedAt = of('passwordChangedAt');
  return {
    ...userFromFields(fields),
    passwordHash: new Secret(of('passwordHash') ?? ''),
    passwordVersion: Number(of('passwordVersion')),
    passwordChangedAt: passwordChangedAt ? new Date(Number(passwordChangedAt)) : undefined,
    revision: of('lastChange') ?? '0',
    isDisabled: of('disabled') === '1',
    isProvisional: of('provisional') === '1',
    hasSkeletons: of('skeletons') === '1',
  };
}

/** The fields that a change writes. The hash of a new password has a key of its own. */
export function changedFields(change: StoredChange): Partial<StoredUser> {
  const { email, verifiedEmail, displayName, roles, isDisabled, password } = change;
  return {
    ...(email === undefined ? {} : { email: email ?? '' }),
    // A former address that the user gets again has to be confirmed again.
    ...(email === undefined && verifiedEmail === undefined
      ? {}
      : { verifiedEmail: verifiedEmail ?? '' }),
    ...(displayName === undefined ? {} : { displayName: displayName ?? '' }),
    ...(roles === undefined ? {} : { roles: JSON.stringify(roles) }),
    ...(isDisabled === undefined ? {} : { disabled: isDisabled ? 1 : 0 }),
    ...(password && { passwordVersion: password.version }),
  };
}

/** The fields of a copy: those that sessions and requests need. */
export function copiedFields(user: UserRecord): Partial<StoredUser> {
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? '',
    verifiedEmail: user.verifiedEmail ?? '',
    displayName: user.displayName ?? '',
    roles: JSON.stringify(user.roles),
    createdAt: user.createdAt.getTime(),
    updatedAt: user.updatedAt.getTime(),
    passwordVersion: user.passwordVersion,
    disabled: user.isDisabled ? 1 : 0,
  };
}
