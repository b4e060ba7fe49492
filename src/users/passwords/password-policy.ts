import { dictionary } from '@zxcvbn-ts/language-common';

import type { RuleFailure } from '../../common/validation/index.js';
import { KNOWN_PHRASES } from './known-phrases.js';

export const PASSWORD_MAX_LENGTH = 256;

/** `abcabcabcabcabc` is no better than `abc`. */
const LONGEST_TRIVIAL_UNIT = 3;
const PRODUCT_WORDS = ['keyslot', 'password', 'passphrase', 'administrator'];
/** Of the best-known passphrase, which people take in any order. */
const EXAMPLE_WORDS = ['correct', 'horse', 'battery', 'staple'];
const KNOWN_WORDS = [...PRODUCT_WORDS, ...EXAMPLE_WORDS, ...KNOWN_PHRASES];
const WALKS = ['abcdefghijklmnopqrstuvwxyz', '0123456789', 'qwertyuiopasdfghjklzxcvbnm'].map(
  (walk) => walk.repeat(20),
);
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

/** Fewer letters than these name nobody: `Al` is in too many honest passwords. */
const MIN_WORD_LENGTH = 3;
const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** Different letters that a password must have besides known words, digits and signs. */
const MIN_REST_LENGTH = 6;
/** Node's argon2 hashes them, but databases, terminals and other programs end a text at one. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\0-\x1f\x7f-\x9f]/;

/** What else is known about the person, and therefore guessed first. */
export interface PasswordContext {
  readonly username: string;
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
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
  if (CONTROL_CHARACTERS.test(password)) {
    return { code: 'control-characters' };
  }
  return isEasyToGuess(password, context) ? { code: 'password-common' } : undefined;
}

function isEasyToGuess(password: string, context: PasswordContext): boolean {
  const [mailbox = ''] = (context.email ?? '').split('@');
  // What is longer than a password is not the password, and may be too long to be looked at.
  const { username, email = '', displayName = '' } = context;
  const known = [username, email, mailbox, displayName].filter(
    (text) => text !== '' && text.length <= 2 * PASSWORD_MAX_LENGTH,
  );
  const words = new Set([...PRODUCT_WORDS, ...known, ...known.map(joinedUp)].map(plain));
  if (isMadeOf([...KNOWN_WORDS, ...partsOf(known)], password)) {
    return true;
  }
  const isGuessed = (text: string): boolean => COMMON_PASSWORDS.has(text) || words.has(text);

  const joined = joinedUp(password);
  if (isWalk(joined.toLowerCase()) || repeatedUnit(plain(joined)).length <= LONGEST_TRIVIAL_UNIT) {
    return true;
  }
  return [...undecorated(password), ...undecorated(joined)]
    .map(plain)
    .some((core) => isGuessed(core) || isGuessed(repeatedUnit(core)));
}

/** Names and addresses as a whole, and their parts: `Ada Lovelace` is `AdaLovelace`, `Ada` and `Lovelace`. */
function partsOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [text, ...text.split(/[^\p{L}\p{M}\p{N}]+/u)]);
}

/**
 * Whether little is left of a password without the known words, forwards and backwards, in any case and leet, and without
 * digits and signs. A long phrase that merely holds a name has enough left.
 */
function isMadeOf(known: readonly string[], password: string): boolean {
  const words = known
    .map((text) => plain(withoutSigns(text)))
    .filter((word) => Array.from(word).length >= (IDEOGRAPHS.test(word) ? 2 : MIN_WORD_LENGTH))
    .flatMap((word) => [word, Array.from(word).reverse().join('')])
    .sort((one, other) => other.length - one.length);
  const lower = withoutSigns(password.normalize('NFKC').toLowerCase());
  // Leet stands for letters one by one, so what is found there is at the same place here.
  let leet = plain(lower);
  let rest = lower;
  for (const word of words) {
    for (let at = leet.indexOf(word); at >= 0; at = leet.indexOf(word, at)) {
      const blank = '0'.repeat(word.length);
      leet = leet.slice(0, at) + blank + leet.slice(at + word.length);
      rest = rest.slice(0, at) + blank + rest.slice(at + word.length);
    }
  }
  return rest !== lower && new Set(rest.replace(/[^\p{L}\p{M}]+/gu, '')).size < MIN_REST_LENGTH;
}

/** Without what stands between words. */
function joinedUp(text: string): string {
  return text.replace(/[\s._-]+/gu, '');
}

/** Without what stands between words or is put around them, save for signs that stand for letters. */
function withoutSigns(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}@$!]+/gu, '');
}

/** Along the alphabet, the digits or the keyboard, in either direction: `12345678901234`, `qwertyuiopasdfgh`. */
function isWalk(text: string): boolean {
  const reversed = Array.from(text).reverse().join('');
  return WALKS.some((walk) => walk.includes(text) || walk.includes(reversed));
}

/** Without differences that guessers try anyway: case, compatibility forms, digits and signs for letters. */
function plain(text: string): string {
  return Array.from(text.normalize('NFKC').toLowerCase(), (char) => LEET.get(char) ?? char).join(
    '',
  );
}

/** As it is, and without what is often put before or behind a word: `2026password!!` is `password`. */
function undecorated(text: string): string[] {
  const before = /^[^\p{L}]+/u;
  const behind = /[^\p{L}]+$/u;
  return [text, text.replace(before, ''), text.replace(behind, '')].concat(
    text.replace(before, '').replace(behind, ''),
  );
}

/** The part of which a text is made by repetition: `abcabcabc` is `abc`. */
function repeatedUnit(text: string): string {
  const length = (text + text).indexOf(text, 1);
  return text.slice(0, length);
}
