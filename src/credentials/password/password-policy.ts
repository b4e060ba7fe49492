import { dictionary } from '@zxcvbn-ts/language-common';

import type { RuleFailure } from '../../common/validation/index.js';
import { KNOWN_PHRASES } from './known-phrases.js';

export const PASSWORD_MAX_LENGTH = 256;

/** `abcabcabcabcabc` is as weak as `abc`. */
const MAX_TRIVIAL_UNIT_LENGTH = 3;
const PRODUCT_WORDS = ['keyslot', 'password', 'passphrase', 'administrator'];
/** The words of the best-known passphrase, which people use in any order. */
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
const LEET_SIGNS = new RegExp(`[${[...LEET.keys()].join('')}]`, 'g');

/** The common passwords of a length, in plain form. The whole list at once would take a tenth of each start. */
const commonByLength = new Map<number, ReadonlySet<string>>();

/** Shorter names are ignored: `Al` occurs in too many good passwords. */
const MIN_WORD_LENGTH = 3;
const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** Minimum number of different letters that must remain after known words, digits and punctuation are removed. */
const MIN_REST_LENGTH = 6;
/** Node's argon2 accepts control characters, but databases, terminals and other programs may truncate a text at one. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\0-\x1f\x7f-\x9f]/;

/** What an attacker may know about the user, and therefore tries first. */
export interface PasswordContext {
  readonly username: string;
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

type KnownTexts = Readonly<Record<keyof PasswordContext, string>>;

/**
 * The password policy. It checks length and guessability. It has no composition rules (NIST SP 800-63B-4 section 3.1.1.2).
 * As that section requires, it compares the whole password with the list of common passwords. It does not search for common
 * passwords inside the password. `NewPasswords` applies the policy.
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
  const known = withoutLongTexts(context);
  const isEasy =
    isEasyToGuess(password, known) ||
    isEasyToGuess(withoutAccents(password), {
      username: withoutAccents(known.username),
      email: withoutAccents(known.email),
      displayName: withoutAccents(known.displayName),
    });
  return isEasy ? { code: 'password-common' } : undefined;
}

/**
 * Removes context texts that are longer than any password. They cannot be the password, and normalizing and searching them
 * would take long.
 */
function withoutLongTexts(context: PasswordContext): KnownTexts {
  const short = (text = ''): string => (text.length <= 2 * PASSWORD_MAX_LENGTH ? text : '');
  return {
    username: short(context.username),
    email: short(context.email),
    displayName: short(context.displayName),
  };
}

function isEasyToGuess(password: string, { username, email, displayName }: KnownTexts): boolean {
  const [mailbox = ''] = email.split('@');
  const known = [username, email, mailbox, displayName].filter((text) => text !== '');
  const words = new Set([...PRODUCT_WORDS, ...known, ...known.map(joinedUp)].map(plain));
  if (isMadeOf([...KNOWN_WORDS, ...partsOf(known)], password)) {
    return true;
  }
  const isGuessed = (text: string): boolean => isCommon(text) || words.has(text);

  const joined = joinedUp(password);
  if (
    isWalk(joined.toLowerCase()) ||
    repeatedUnit(plain(joined)).length <= MAX_TRIVIAL_UNIT_LENGTH
  ) {
    return true;
  }
  return [...undecorated(password), ...undecorated(joined)]
    .map(plain)
    .some((core) => isGuessed(core) || isGuessed(repeatedUnit(core)));
}

/** @param text in plain form. The list is ASCII, whose plain form is as long as the password. */
function isCommon(text: string): boolean {
  let common = commonByLength.get(text.length);
  if (!common) {
    const words = dictionary['passwords-common'].map(String);
    common = new Set(words.filter(({ length }) => length === text.length).map(plain));
    commonByLength.set(text.length, common);
  }
  return common.has(text);
}

/** Returns each text and its words: `Ada Lovelace` gives `Ada Lovelace`, `Ada` and `Lovelace`. */
function partsOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [text, ...text.split(/[^\p{L}\p{M}\p{N}]+/u)]);
}

/**
 * Whether a password consists almost only of known words. It removes known words (also reversed, in upper or lower case, or
 * in leet), digits and punctuation. The result is true if at least one word was found and fewer than `MIN_REST_LENGTH`
 * different letters remain. A long phrase that merely contains a name passes.
 */
function isMadeOf(known: readonly string[], password: string): boolean {
  const words = known
    .map((text) => plain(withoutSigns(text)))
    .filter((word) => Array.from(word).length >= (IDEOGRAPHS.test(word) ? 2 : MIN_WORD_LENGTH))
    .flatMap((word) => [word, Array.from(word).reverse().join('')])
    .sort((one, other) => other.length - one.length);
  const lower = withoutSigns(password.normalize('NFKC').toLowerCase());
  // Leet replaces single letters, so a match has the same position in both texts.
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

/** `José` gives `Jose`: people leave out accents, and attackers try both. */
function withoutAccents(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('ß', 'ss');
}

/** Removes separators between words. */
function joinedUp(text: string): string {
  return text.replace(/[\s._-]+/gu, '');
}

/** Removes all punctuation and symbols except those that leet uses for letters (`@`, `$`, `!`). */
function withoutSigns(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}@$!]+/gu, '');
}

/**
 * Whether the text is a sequence of the alphabet, the digits or the keyboard, in either direction: `12345678901234`,
 * `qwertyuiopasdfgh`.
 */
function isWalk(text: string): boolean {
  const reversed = Array.from(text).reverse().join('');
  return WALKS.some((walk) => walk.includes(text) || walk.includes(reversed));
}

/**
 * Normalizes variants that attackers try anyway: upper case, Unicode compatibility forms, and digits or symbols in place of
 * letters.
 */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(LEET_SIGNS, (sign) => LEET.get(sign)!);
}

/**
 * Returns the text, and the text without digits and symbols before it, after it, and on both sides: `2026password!!` gives
 * `password`.
 */
function undecorated(text: string): string[] {
  const before = /^[^\p{L}]+/u;
  const behind = /[^\p{L}]+$/u;
  return [text, text.replace(before, ''), text.replace(behind, '')].concat(
    text.replace(before, '').replace(behind, ''),
  );
}

/** Returns the shortest part whose repetition is the text: `abcabcabc` gives `abc`. */
function repeatedUnit(text: string): string {
  const length = (text + text).indexOf(text, 1);
  return text.slice(0, length);
}
