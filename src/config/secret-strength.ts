import { statSync } from 'node:fs';

const MIN_DIFFERENT_CHARACTERS = 8;
const PLACEHOLDER =
  /change.?(?:me|it|this)|replace.?(?:me|it|this)|place.?holder|example|default|your.?(?:secret|key|password)|secret.?(?:key|here)|123456/i;
/** Example passwords in the API description and the READMEs. A test keeps this list complete. */
const SHIPPED_PASSWORDS = [
  'engine weaves algebra',
  'algebra weaves another engine',
  'nanoseconds of copper wire',
];

/** Whether a secret is not random: few different characters, a repetition, or a placeholder. */
export function isWeakSecret(secret: string): boolean {
  return (
    new Set(secret).size < MIN_DIFFERENT_CHARACTERS ||
    isRepetition(secret) ||
    // A phrase that is repeated with separators.
    isRepetition(secret.replace(/[^\p{L}\p{N}]+/gu, '').toLowerCase()) ||
    PLACEHOLDER.test(secret)
  );
}

function isRepetition(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length;
}

/** Whether a password is an example from the public documentation of Keyslot. */
export function isShippedPassword(password: string): boolean {
  return SHIPPED_PASSWORDS.includes(password.trim().toLowerCase());
}

/** Whether every user of this machine or container can read a file. */
export function isReadByOthers(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0;
}
