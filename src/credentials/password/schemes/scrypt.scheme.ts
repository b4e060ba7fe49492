import { scrypt, type ScryptOptions } from 'node:crypto';

import { bytesIn, digestIn, isEqual, numberIn, type HashScheme } from './hash-scheme.js';

/** `$scrypt$ln=15,r=8,p=1$…$…`: PHC string format, also of passlib. `ln` is the binary logarithm of N. */
const PHC = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]*)\$([^$]+)$/;
/** `scrypt$16384$salt$8$1$…`: Django. The salt is text. */
const DJANGO = /^scrypt\$(\d+)\$([^$]+)\$(\d+)\$(\d+)\$([^$]+)$/;

/** The large block with the parameters that OWASP recommends, and 1 MiB for the rest. */
const MAX_MEMORY_BYTES = (128 + 1) * 1024 * 1024;
/** N times r times p: about a second. */
const MAX_WORK = 2 ** 21;
const MAX_SALT_BYTES = 1024;

interface Parts {
  readonly N: number;
  readonly r: number | undefined;
  readonly p: number | undefined;
  readonly salt: Buffer | undefined;
  readonly hash: Buffer | undefined;
}

/** scrypt (RFC 7914). */
export const scryptScheme: HashScheme = {
  read: (text) => {
    if (!/^\$?scrypt\$/.test(text)) {
      return undefined;
    }
    const { N = 0, r, p, salt, hash } = partsOf(text) ?? {};
    // RFC 7914 section 2: N is a power of two, and less than 2^(128 * r / 8).
    const isCost = N > 1 && Number.isInteger(Math.log2(N)) && Math.log2(N) < 16 * (r ?? 0);
    if (!isCost || !r || !p || !salt || !hash || salt.length > MAX_SALT_BYTES) {
      return 'malformed-hash';
    }
    const memory = 128 * r * (N + p + 2);
    if (memory > MAX_MEMORY_BYTES || N * r * p > MAX_WORK) {
      return 'too-expensive';
    }
    const options = { N, r, p, maxmem: MAX_MEMORY_BYTES };
    return {
      verify: async (password) => isEqual(await derive(password, salt, hash.length, options), hash),
    };
  },
};

function partsOf(text: string): Parts | undefined {
  const phc = PHC.exec(text);
  if (phc) {
    const [, logarithm, r, p, salt = '', hash = ''] = phc;
    const exponent = numberIn(logarithm) ?? 0;
    return {
      N: exponent > 0 && exponent < 48 ? 2 ** exponent : 0,
      r: numberIn(r),
      p: numberIn(p),
      salt: bytesIn(salt),
      hash: digestIn(hash),
    };
  }
  const [, N, salt = '', r, p, hash = ''] = DJANGO.exec(text) ?? [];
  return N === undefined
    ? undefined
    : {
        N: numberIn(N) ?? 0,
        r: numberIn(r),
        p: numberIn(p),
        salt: Buffer.from(salt),
        hash: digestIn(hash),
      };
}

async function derive(
  password: string,
  salt: Buffer,
  length: number,
  options: ScryptOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
