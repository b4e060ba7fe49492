import { sha256 } from '../../common/digest/index.js';
import type { RuleFailure } from '../../common/validation/index.js';
import { skeletonOf } from './confusables.js';
import { foldName, normalizeName } from './fold-name.js';
import { mixesDigits, mixesScripts } from './unicode-scripts.js';
import { ALLOWED_CODE_POINTS } from './unicode-security-data.js';

export const USERNAME_MAX_LENGTH = 64;
/** NFKC expands one character to at most 18. A longer input cannot become a valid name. */
const INPUT_MAX_LENGTH = 256;
/**
 * Letters, marks, digits, signs of e-mail addresses, and the signs within names of UAX #31 tables 3a and 3b. These are: between
 * letters, apostrophes, middle dots, the hyphens U+2010 and U+058A, the Tibetan tsheg and the Hebrew gershayim; after a letter,
 * the Hebrew geresh. Not allowed are the colon, which ends a user name in HTTP Basic (RFC 7617), and U+2027, which no keyboard
 * has.
 */
const ALLOWED =
  /^(?:[\p{L}\p{M}\p{N}._\-@+]|(?<=[\p{L}\p{M}])(?:['\u2019\xb7\u2010\u058a\u0f0b\u05f4\u30fb\u30a0](?=\p{L})|\u05f3))+$/u;
/**
 * Characters whose Identifier_Type (UTS #39) is common in names. `@` and `+` are added, because they are no identifier
 * characters.
 */
const IDENTIFIER_CHARACTERS = new RegExp(
  `^[@+${ALLOWED_CODE_POINTS.trim()
    .replace(/[0-9a-f]+/g, '\\u{$&}')
    .replace(/\s+/g, '')}]+$`,
  'u',
);
/**
 * Sequences of marks that may not be visible (UTS #39 section 5.4): the same mark twice, more than four marks, a dot above a
 * letter that already has one.
 */
const DECEIVING_MARKS = /(\p{Mn})\1|[\p{Mn}\p{Me}]{5}|\p{Soft_Dotted}\u0307/u;

/**
 * The displayed and stored form: Unicode NFKC, without surrounding space and invisible characters. Empty if the input is too
 * long, because a truncated input could be the name of another user.
 */
export function displayedUsername(input: string): string {
  return input.length > INPUT_MAX_LENGTH ? '' : normalizeName(input);
}

/** The canonical form: the displayed form, case-folded. `Ada`, `ADA` and `Ａｄａ` are one name. */
export function canonicalUsername(input: string): string {
  return input.length > INPUT_MAX_LENGTH ? '' : foldName(input);
}

/**
 * The skeletons of the canonical form and of the displayed form, in this order. Both are needed: `PaypaI` looks like `paypal`,
 * although its canonical form `paypai` does not. Two names look alike when a skeleton of one is a skeleton or the canonical
 * form of the other. Most canonical names equal their skeleton.
 */
export function usernameSkeletons(
  canonical: string,
  displayed: string,
): readonly [string, ...string[]] {
  const first = skeletonOf(canonical);
  const other = skeletonOf(displayed);
  return other === first ? [first] : [first, other];
}

/** Whether two names are equal or look alike, so that only one of them can be registered. */
export function areSameName(one: string, other: string): boolean {
  const keys = new Set(keysOf(one));
  return keysOf(other).some((key) => keys.has(key));
}

function keysOf(name: string): string[] {
  const canonical = canonicalUsername(name);
  return [canonical, ...usernameSkeletons(canonical, displayedUsername(name))];
}

/**
 * The canonical form of versions before 0.2, whose keys are still stored. It differs from the current form only for names in
 * which an invisible character separates marks, or in which case folding creates new marks.
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

/** Replaces a name where the name itself must not be visible, for example in keys. */
export function usernameDigest(input: string): string {
  return digestOfKey(canonicalUsername(input));
}

/** @param usernameKey a canonical name */
export function digestOfKey(usernameKey: string): string {
  return sha256(usernameKey);
}

/** The rules for new names. Existing users keep names that the rules refuse today. */
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
