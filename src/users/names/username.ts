import { sha256 } from '../../common/digest/index.js';
import type { RuleFailure } from '../../common/validation/index.js';
import { skeletonOf } from './confusables.js';
import { foldName, normalizeName } from './fold-name.js';
import { mixesDigits, mixesScripts } from './scripts.js';
import { ALLOWED_CODE_POINTS } from './unicode-security-data.js';

export const USERNAME_MAX_LENGTH = 64;
/** NFKC may write one character as up to 18; a longer input cannot become a valid name. */
const INPUT_MAX_LENGTH = 256;
/**
 * Letters, marks, digits, signs of addresses, and the signs within names of UAX #31 tables 3a and 3b: apostrophes, middle
 * dots, the hyphens U+2010 and U+058A, the Tibetan tsheg and the Hebrew gershayim between letters; the Hebrew geresh behind one.
 * Not the colon, which ends a user name in HTTP Basic (RFC 7617), and not U+2027, which is no sign of any keyboard.
 */
const ALLOWED =
  /^(?:[\p{L}\p{M}\p{N}._\-@+]|(?<=[\p{L}\p{M}])(?:['\u2019\xb7\u2010\u058a\u0f0b\u05f4\u30fb\u30a0](?=\p{L})|\u05f3))+$/u;
/** UTS #39: the Identifier_Type of every character is one that names are written with. `@` and `+` are in no identifier. */
const IDENTIFIER_CHARACTERS = new RegExp(
  `^[@+${ALLOWED_CODE_POINTS.trim()
    .replace(/[0-9a-f]+/g, '\\u{$&}')
    .replace(/\s+/g, '')}]+$`,
  'u',
);
/**
 * Marks that change nothing that is seen (UTS #39 section 5.4): one mark twice, more than four, a dot above a letter that
 * has one.
 */
const DECEIVING_MARKS = /(\p{Mn})\1|[\p{Mn}\p{Me}]{5}|\p{Soft_Dotted}\u0307/u;

/**
 * The name as it is shown and stored: Unicode NFKC, without surrounding space and without characters that cannot be
 * seen. Empty for what is too long to be one: cut, it would be the name of somebody.
 */
export function displayedUsername(input: string): string {
  return input.length > INPUT_MAX_LENGTH ? '' : normalizeName(input);
}

/** What makes a name the same name: the displayed form, case-folded. `Ada`, `ADA` and `Ａｄａ` are one. */
export function canonicalUsername(input: string): string {
  return input.length > INPUT_MAX_LENGTH ? '' : foldName(input);
}

/**
 * The skeletons of a name, as it is logged in with and as it is shown: `PaypaI` looks like `paypal`, though `paypai` does
 * not. Users cannot be told apart when a skeleton of one is a skeleton or the canonical name of the other. The skeleton of
 * the canonical name comes first, and most names are their own.
 */
export function usernameSkeletons(
  canonical: string,
  displayed: string,
): readonly [string, ...string[]] {
  const first = skeletonOf(canonical);
  const other = skeletonOf(displayed);
  return other === first ? [first] : [first, other];
}

/** Whether only one of two names can be a user's: they are the same name, or look alike. */
export function areSameName(one: string, other: string): boolean {
  const keys = new Set(keysOf(one));
  return keysOf(other).some((key) => keys.has(key));
}

function keysOf(name: string): string[] {
  const canonical = canonicalUsername(name);
  return [canonical, ...usernameSkeletons(canonical, displayedUsername(name))];
}

/**
 * The canonical form of versions before 0.2, whose keys of users are still stored. Another one only for names with marks
 * that an unseen character kept apart, or that case folding sets free.
 */
export function formerCanonicalUsername(input: string): string {
  if (input.length > INPUT_MAX_LENGTH) {
    return '';
  }
  const displayed = input
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim();
  return displayed.toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}

/** Stands for a name wherever the name itself must not be seen, such as in keys. */
export function usernameDigest(input: string): string {
  return digestOfKey(canonicalUsername(input));
}

/** @param usernameKey a canonical name */
export function digestOfKey(usernameKey: string): string {
  return sha256(usernameKey);
}

/** For new names. One that is refused today may be somebody's already, who can go on. */
export function checkUsername(input: string): RuleFailure | undefined {
  const name = displayedUsername(input);
  if (input.length > INPUT_MAX_LENGTH || Array.from(name).length > USERNAME_MAX_LENGTH) {
    return { code: 'too-long', params: { max: USERNAME_MAX_LENGTH } };
  }
  if (name.length === 0) {
    return { code: 'too-short', params: { min: 1 } };
  }
  if (!ALLOWED.test(name) || !/[\p{L}\p{N}]/u.test(name)) {
    return { code: 'name-characters' };
  }
  if (mixesScripts(name) || mixesDigits(name)) {
    return { code: 'mixed-scripts' };
  }
  if (!IDENTIFIER_CHARACTERS.test(name) || DECEIVING_MARKS.test(name.normalize('NFD'))) {
    return { code: 'name-characters' };
  }
  return undefined;
}
