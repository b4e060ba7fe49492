import { createHash } from 'node:crypto';

import type { RuleFailure } from '../common/validation/index.js';

export const USERNAME_MAX_LENGTH = 64;
/** NFKC may write one character as up to 18; a longer input cannot become a valid name. */
const INPUT_MAX_LENGTH = 256;
const ALLOWED = /^[\p{L}\p{M}\p{N}._\-@+]+$/u;
/** Alphabets with letters that look like those of another. */
const LOOKALIKE_SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/**
 * The name as it is shown and stored: Unicode NFKC, without surrounding space and without characters that cannot be
 * seen. Empty for what is too long to be one: cut, it would be the name of somebody.
 */
export function displayedUsername(input: string): string {
  if (input.length > INPUT_MAX_LENGTH) {
    return '';
  }
  return input
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim();
}

/** What makes a name the same name: the displayed form, case-folded. `Ada`, `ADA` and `Ａｄａ` are one. */
export function canonicalUsername(input: string): string {
  // Up and down again folds what one step leaves apart (ß, ss); down first, for the capital ẞ.
  const folded = displayedUsername(input).toLowerCase().toUpperCase().toLowerCase();
  return folded.normalize('NFKC');
}

/** Stands for a name wherever the name itself must not be seen, such as in keys. */
export function usernameDigest(input: string): string {
  return digestOfKey(canonicalUsername(input));
}

/** @param usernameKey a canonical name */
export function digestOfKey(usernameKey: string): string {
  return createHash('sha256').update(usernameKey).digest('base64url');
}

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
  if (LOOKALIKE_SCRIPTS.filter((script) => script.test(name)).length > 1) {
    return { code: 'mixed-scripts' };
  }
  return undefined;
}
