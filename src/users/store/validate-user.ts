import { Secret } from '../../common/secret/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import type { ListedUser } from '../directory/user-directory.js';
import { UserStoreError } from './user-store.js';

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isDate = (value: unknown): boolean => value instanceof Date && !Number.isNaN(value.getTime());
const isTextOrNone = (value: unknown): boolean =>
  value === null || value === undefined || typeof value === 'string';

type Check = (value: unknown) => boolean;
type Rules<Type> = { readonly [Member in keyof Type]-?: Check };

/** Whether the user has a second factor is not for a store to say. */
const LISTED_USER_RULES: Rules<Omit<ListedUser, 'hasSecondFactor'>> = {
  id: isText,
  username: isText,
  email: isTextOrNone,
  verifiedEmail: isTextOrNone,
  displayName: isTextOrNone,
  roles: (value) => Array.isArray(value) && value.every((role) => typeof role === 'string'),
  createdAt: isDate,
  updatedAt: isDate,
  isDisabled: (value) => typeof value === 'boolean',
};
const USER_RULES: Rules<Omit<UserRecord, 'hasSecondFactor'>> = {
  ...LISTED_USER_RULES,
  passwordHash: (value) => value instanceof Secret,
  passwordVersion: (value) => Number.isSafeInteger(value),
  passwordChangedAt: (value) => value === undefined || value === null || isDate(value),
  revision: isText,
};

/**
 * Checks a user that a store has returned, so that a defect of the store does not become an unreadable record.
 *
 * @throws UserStoreError, which names the invalid members, not their values
 */
export function validateUser(userId: string, user: UserRecord): UserRecord {
  check(user, USER_RULES, user.id === userId ? [] : ['id']);
  return {
    ...user,
    hasSecondFactor: undefined,
    ...addressesOf(user),
    displayName: user.displayName || null,
    passwordChangedAt: user.passwordChangedAt ?? undefined,
  };
}

/**
 * Checks a user that a directory has returned, and drops other members, such as the password hash.
 *
 * @throws UserStoreError, which names the invalid members, not their values
 */
export function validateListedUser(user: ListedUser): ListedUser {
  check(user, LISTED_USER_RULES);
  const { id, username, displayName, roles, createdAt, updatedAt, isDisabled } = user;
  return {
    id,
    username,
    ...addressesOf(user),
    displayName: displayName || null,
    roles,
    createdAt,
    updatedAt,
    isDisabled,
  };
}

/** A confirmed address counts only while it is the address of the user. */
function addressesOf(user: ListedUser): Pick<ListedUser, 'email' | 'verifiedEmail'> {
  const email = user.email || null;
  return { email, verifiedEmail: user.verifiedEmail === email ? email : null };
}

function check(
  user: object,
  rules: Readonly<Record<string, Check>>,
  alsoWrong: readonly string[] = [],
): void {
  // A directory may return a list of anything.
  const members = Object(user) as Record<string, unknown>;
  const wrong = Object.entries(rules).flatMap(([name, isRight]) =>
    isRight(members[name]) ? [] : [name],
  );
  const all = [...wrong, ...alsoWrong];
  if (all.length > 0) {
    throw new UserStoreError(`the store returned an invalid user: ${all.join(', ')}`);
  }
}
