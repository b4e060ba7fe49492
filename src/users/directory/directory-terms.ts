import type { StoredChange } from '../../user-slot/read/index.js';
import { canonicalUsername } from '../names/username.js';
import type { NewUser } from '../store/user-store.js';
import type { ListedUser, UserQuery } from './user-directory.js';

/** How the directory finds a user. */
export interface DirectoryTerms {
  readonly filters: readonly string[];
  readonly keys: readonly string[];
}

export const NO_TERMS: DirectoryTerms = { filters: [], keys: [] };

/** The list that contains every user. */
export const ALL = 'all';
const DISABLED = 'disabled';

/** For a prefix that folds to nothing, because it is invisible or too long: it must not find everybody. */
const IN_NO_NAME = '\uffff';

const nameKey = (name: string): string => `n:${name}`;
const emailKey = (address: string): string => `e:${address}`;
/** Of an address that the user has confirmed. No list of users contains it. */
const verifiedEmailKey = (address: string): string => `v:${address}`;
const roleFilter = (role: string): string => `role.${role}`;

export function termsOf(user: ListedUser | NewUser): DirectoryTerms {
  const { username, email, verifiedEmail, roles } = user;
  return {
    filters: [ALL, ...filtersOf({ roles, isDisabled: user.isDisabled })],
    keys: [nameKey(foldName(username)), ...keysOf(email, verifiedEmail)],
  };
}

/** What a change adds to the terms of a user; undefined when the directory is not affected by the change. */
export function termsAddedBy({
  email,
  verifiedEmail,
  roles,
  isDisabled,
}: StoredChange): DirectoryTerms | undefined {
  return [email, verifiedEmail, roles, isDisabled].every((value) => value === undefined)
    ? undefined
    : { filters: [ALL, ...filtersOf({ roles, isDisabled })], keys: keysOf(email, verifiedEmail) };
}

/** The prefix of the terms of users who have confirmed this address, with the end of the key. */
export function verifiedEmailPrefix(address: string): string {
  return `${verifiedEmailKey(foldAddress(address) || IN_NO_NAME)}\0`;
}

/** The list that contains all users of a query, and perhaps others. */
export function filterOf({ role, isDisabled }: UserQuery): string {
  if (role !== undefined) {
    return roleFilter(role);
  }
  return isDisabled === true ? DISABLED : ALL;
}

/** The prefixes of the keys that a query finds, in the order of listing: user names, then e-mail addresses. */
export function prefixesOf({ prefix = '' }: UserQuery): readonly string[] {
  return prefix === ''
    ? [nameKey('')]
    : [nameKey(foldName(prefix) || IN_NO_NAME), emailKey(foldAddress(prefix) || IN_NO_NAME)];
}

/** Whether a user meets the conditions, and is listed under this prefix and not under an earlier one. */
export function isListedUnder(user: ListedUser, query: UserQuery, index: number): boolean {
  const { keys } = termsOf(user);
  const { isDisabled = user.isDisabled } = query;
  const first = prefixesOf(query).findIndex((prefix) => keys.some((key) => key.startsWith(prefix)));
  return first === index && user.isDisabled === isDisabled;
}

function filtersOf({ roles = [], isDisabled }: Pick<StoredChange, 'roles' | 'isDisabled'>) {
  return [...roles.map(roleFilter), ...(isDisabled === true ? [DISABLED] : [])];
}

function keysOf(
  email: string | null | undefined,
  verifiedEmail: string | null | undefined,
): string[] {
  return [
    ...(typeof email === 'string' ? [emailKey(foldAddress(email))] : []),
    ...(typeof verifiedEmail === 'string' ? [verifiedEmailKey(foldAddress(verifiedEmail))] : []),
  ];
}

/** As `canonicalUsername`, but the prefix of a word may end in a sigma that is no final one. */
function foldName(name: string): string {
  return canonicalUsername(name).replaceAll('ς', 'σ');
}

function foldAddress(address: string): string {
  return address.trim().normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
}
