import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';
import { canonicalUsername } from '../names/username.js';
import type { NewUser } from '../store/user-store.js';
import type { UserQuery } from './user-directory.js';

/** How the directory finds a user. */
export interface DirectoryTerms {
  readonly filters: readonly string[];
  readonly keys: readonly string[];
}

export const NO_TERMS: DirectoryTerms = { filters: [], keys: [] };

/** The list that contains every user. */
export const ALL = 'all';
const DISABLED = 'disabled';

const nameKey = (name: string): string => `n:${name}`;
const emailKey = (address: string): string => `e:${address}`;
const roleFilter = (role: string): string => `role.${role}`;

export function termsOf(user: UserRecord | NewUser): DirectoryTerms {
  const { username, email, roles } = user;
  return {
    filters: [ALL, ...filtersOf({ roles, isDisabled: 'isDisabled' in user && user.isDisabled })],
    keys: [nameKey(canonicalUsername(username)), ...keysOf(email)],
  };
}

/** What a change adds to the terms of a user; undefined when the directory is not affected by the change. */
export function termsAddedBy({
  email,
  roles,
  isDisabled,
}: StoredChange): DirectoryTerms | undefined {
  return email === undefined && roles === undefined && isDisabled === undefined
    ? undefined
    : { filters: [ALL, ...filtersOf({ roles, isDisabled })], keys: keysOf(email) };
}

/** The list that contains all users of a query, and perhaps others. */
export function filterOf({ role, isDisabled }: UserQuery): string {
  if (role !== undefined) {
    return roleFilter(role);
  }
  return isDisabled === true ? DISABLED : ALL;
}

/** The beginnings of the keys of a query, in the order of listing: user names, then e-mail addresses. */
export function beginningsOf({ beginning = '' }: UserQuery): readonly string[] {
  return beginning === ''
    ? [nameKey('')]
    : [nameKey(canonicalUsername(beginning)), emailKey(foldAddress(beginning))];
}

/** Whether a user meets the conditions, and is listed under this beginning and not under an earlier one. */
export function isListedUnder(user: UserRecord, query: UserQuery, index: number): boolean {
  const { keys } = termsOf(user);
  const { isDisabled = user.isDisabled } = query;
  const beginnings = beginningsOf(query);
  const first = beginnings.findIndex((beginning) => keys.some((key) => key.startsWith(beginning)));
  return first === index && user.isDisabled === isDisabled;
}

function filtersOf({ roles = [], isDisabled }: Pick<StoredChange, 'roles' | 'isDisabled'>) {
  return [...roles.map(roleFilter), ...(isDisabled === true ? [DISABLED] : [])];
}

function keysOf(email: string | null | undefined): string[] {
  return typeof email === 'string' ? [emailKey(foldAddress(email))] : [];
}

function foldAddress(address: string): string {
  return address.trim().normalize('NFC').toLowerCase();
}
