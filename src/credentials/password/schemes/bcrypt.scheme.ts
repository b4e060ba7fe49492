import bcrypt from 'bcrypt';
import { createHash } from 'node:crypto';

import type { HashScheme } from './hash-scheme.js';

/** Version 2x is not accepted: it marks hashes of an implementation that handled other letters than those of ASCII wrongly. */
const FORM = /^(?:bcrypt\$|(bcrypt_sha256)\$)?\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{53})$/;
const MIN_COST = 4;
/** About a second. */
const MAX_COST = 14;

/**
 * bcrypt, also with Django's prefixes. `bcrypt_sha256` hashes the hexadecimal SHA-256 of the password.
 *
 * As in other systems, bcrypt ignores what follows the 72nd byte of a password. Implementations disagree about a NUL, so no
 * password that contains one is right.
 */
export const bcryptScheme: HashScheme = {
  read: (text) => {
    if (!/^(?:bcrypt(?:_sha256)?\$)?\$2[abxy]?\$/.test(text)) {
      return undefined;
    }
    const [, isDigested, cost, rest] = FORM.exec(text) ?? [];
    if (cost === undefined || Number(cost) < MIN_COST) {
      return 'malformed-hash';
    }
    if (Number(cost) > MAX_COST) {
      return 'too-expensive';
    }
    // The versions differ only in the marks of repaired implementations.
    const hash = `$2b$${cost}$${rest}`;
    const input = isDigested ? sha256Hex : (password: string): string => password;
    return {
      verify: async (password) => {
        const hashed = input(password);
        return !hashed.includes('\0') && bcrypt.compare(hashed, hash);
      },
    };
  },
};

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
