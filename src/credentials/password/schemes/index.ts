import { argon2Scheme } from './argon2.scheme.js';
import { bcryptScheme } from './bcrypt.scheme.js';
import type { HashRefusal, HashScheme, ReadableHash } from './hash-scheme.js';
import { pbkdf2Scheme } from './pbkdf2.scheme.js';
import { scryptScheme } from './scrypt.scheme.js';
import { shaCryptScheme } from './sha-crypt.scheme.js';

export type { HashRefusal, ReadableHash } from './hash-scheme.js';

const SCHEMES: readonly HashScheme[] = [
  argon2Scheme,
  bcryptScheme,
  pbkdf2Scheme,
  scryptScheme,
  shaCryptScheme,
];
const MAX_TEXT_LENGTH = 4096;

/** Reads a hash of another system. Each scheme has a beginning that no other one has. */
export function readHash(text: string): ReadableHash | HashRefusal {
  if (text.length > MAX_TEXT_LENGTH) {
    return 'malformed-hash';
  }
  for (const scheme of SCHEMES) {
    const found = scheme.read(text);
    if (found !== undefined) {
      return found;
    }
  }
  return 'unknown-hash';
}
