import type { Secret } from '../../common/secret/index.js';

/** A user of another system or of another installation. */
export interface ImportedUser {
  /** A UUID that the user keeps. Default: an id that is derived from the source, the same for each import. */
  readonly id?: string | undefined;
  /** Tells users of the source apart, with the name. Default: the name alone does. */
  readonly sourceId?: string | undefined;
  readonly username: string;
  readonly email: string | null;
  /** Whether the user has confirmed the address, according to the source. Default false. */
  readonly isEmailVerified?: boolean | undefined;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  readonly createdAt?: Date | undefined;
  readonly isDisabled: boolean;
  readonly password: ImportedPassword;
}

export type ImportedPassword =
  | { readonly hash: Secret }
  /** Hashed by the import. */
  | { readonly plain: Secret }
  /** The user has no password yet, and sets one with a link in a mail. */
  | 'invited'
  /** Refused. */
  | 'none';

/** Why a record of a source is not imported. The texts contain no password and no hash. */
export const REFUSALS = {
  'invalid-json': 'this is not valid JSON',
  'invalid-record': 'the record does not have the form of its format',
  'invalid-username': 'the user name breaks the rules for names',
  'invalid-email': 'the e-mail address is not valid',
  'invalid-display-name': 'the displayed name is empty or too long',
  'unknown-role': 'there is no such role',
  'no-password': 'the record has no password and no password hash',
  'invalid-password': 'the password is longer than a password can be',
  'password-is-a-hash': 'the plain password is a password hash',
  'unknown-hash': 'this kind of password hash is not supported',
  'malformed-hash': 'the password hash is damaged',
  'too-expensive': 'a check of this password hash would take too much time or memory',
  'username-taken': 'another user has this name, or a name that looks like it',
  'id-in-use': 'another user has this id, or had it and was deleted within the last two hours',
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export class RefusedRecord {
  /** @param detail more about the reason, without values that may be secret */
  constructor(
    readonly reason: RefusalReason,
    readonly detail?: string,
  ) {}
}

/** Where a record is in its source: the number of a line or of an element, from 1, or a Redis key. */
export type Position =
  { readonly line: number } | { readonly element: number } | { readonly key: string };

/** A record of a source. */
export interface SourceRecord {
  readonly position: Position;
  readonly value: unknown;
}

/** What the record of a format describes. `ignored`: no user, for example a service account, or another table. */
export type ReadRecord = ImportedUser | RefusedRecord | 'ignored';

/** Reads the records of one format. */
export interface ImportFormat {
  readonly name: string;
  read(value: unknown): ReadRecord;
}
