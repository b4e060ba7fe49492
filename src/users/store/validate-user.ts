import { Secret } from '../../common/secret/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import { UserStoreError } from './user-store.js';

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isDate = (value: unknown): boolean => value instanceof Date && !Number.isNaN(value.getTime());
const isTextOrNone = (value: unknown): boolean =>
  value === null || value === undefined || typeof value === 'string';

const RULES: { readonly [Member in keyof UserRecord]-?: (value: unknown) => boolean } = {
  id: isText,
  username: isText,
  email: isTextOrNone,
  verifiedEmail: isTextOrNone,
  displayName: isTextOrNone,
  roles: (value) => Array.isArray(value) && value.every((role) => typeof role === 'string'),
  createdAt: isDate,
  updatedAt: isDate,
  isDisabled: (value) => typeof value === 'boolean',
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
  const members = user as unknown as Record<string, unknown>;
  const wrong = Object.entries(RULES).flatMap(([name, isRight]) =>
    isRight(members[name]) ? [] : [name],
  );
  if (user.id !== userId) {
    wrong.push('id');
  }
  if (wrong.length > 0) {
    throw new UserStoreError(`the store returned an invalid user: ${wrong.join(', ')}`);
  }
  const email = user.email || null;
  return {
    ...user,
    email,
    verifiedEmail: user.verifiedEmail === email ? email : null,
    displayName: user.displayName || null,
    passwordChangedAt: user.passwordChangedAt ?? undefined,
  };
}
