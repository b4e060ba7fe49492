import { dictionary } from '@zxcvbn-ts/language-common';

import type { RuleFailure } from '../common/validation/index.js';

export const PASSWORD_MAX_LENGTH = 256;

const PRODUCT_WORDS = ['keyslot', 'password', 'passphrase', 'administrator'];
const LEET = new Map(
  Object.entries({
    '0': 'o',
    '1': 'i',
    '3': 'e',
    '4': 'a',
    '5': 's',
    '7': 't',
    '@': 'a',
    $: 's',
    '!': 'i',
  }),
);

const COMMON_PASSWORDS = new Set(dictionary['passwords-common'].map((word) => plain(String(word))));

/** What else is known about the person, and therefore guessed first. */
export interface PasswordContext {
  readonly username: string;
  readonly email?: string | undefined;
}

/**
 * Length and guessability, and nothing else: no rules of composition (NIST SP 800-63B-4 section 3.1.1.2). As that text
 * asks, the whole password is compared with the list, not its parts.
 */
export function checkPassword(
  password: string,
  minLength: number,
  context: PasswordContext,
): RuleFailure | undefined {
  const length = Array.from(password.slice(0, 2 * PASSWORD_MAX_LENGTH + 1)).length;
  if (length < minLength) {
    return { code: 'too-short', params: { min: minLength } };
  }
  if (length > PASSWORD_MAX_LENGTH) {
    return { code: 'too-long', params: { max: PASSWORD_MAX_LENGTH } };
  }
  return isEasyToGuess(password, context) ? { code: 'password-common' } : undefined;
}

function isEasyToGuess(password: string, context: PasswordContext): boolean {
  const words = new Set(
    [
      ...PRODUCT_WORDS,
      context.username,
      ...(context.email === undefined ? [] : [context.email, context.email.split('@')[0] ?? '']),
    ].map(plain),
  );
  return [plain(password), plain(undecorated(password))].some((candidate) => {
    const unit = repeatedUnit(candidate);
    return [candidate, unit].some(
      (form) => form.length < 3 || COMMON_PASSWORDS.has(form) || words.has(form),
    );
  });
}

/** Without differences that guessers try anyway: case, compatibility forms, digits and signs for letters. */
function plain(text: string): string {
  return Array.from(text.normalize('NFKC').toLowerCase(), (char) => LEET.get(char) ?? char).join(
    '',
  );
}

/** Without what is often put before or behind a word: `2026password!!` is `password`. */
function undecorated(text: string): string {
  return text.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '') || text;
}

/** The part of which a text is made by repetition: `abcabcabc` is `abc`. */
function repeatedUnit(text: string): string {
  const length = (text + text).indexOf(text, 1);
  return text.slice(0, length);
}
