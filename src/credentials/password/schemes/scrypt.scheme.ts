import { scrypt, type ScryptOptions } from 'node:crypto';

import { bytesIn, digestIn, isEqual, numberIn, type HashScheme } from './hash-scheme.js';

/** `$scrypt$ln=15,r=8,p=1$…$…`: PHC string format, also of passlib. `ln` is the binary logarithm of N. */
const PHC = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]*)\$([^$]+)$/;
/** `scrypt$16384$salt$8$1$…`: Django. The salt is text. */
const DJANGO = /^scrypt\$(\d+)\$([^$]+)\$(\d+)\$(\d+)\$([^$]+)$/;

/** Twice what OWASP recommends. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
/** N times r times p: about two seconds. */
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
    const isCost = N > 1 && Number.isInteger(Math.log2(N));
    if (!isCost || !r || !p || !salt || !hash || salt.length > MAX_SALT_BYTES) {
      return 'malformed-hash';
    }
    if (128 * N * r > MAX_MEMORY_BYTES || N * r * p > MAX_WORK) {
      return 'too-expensive';
    }
    // Node's limit includes what is needed besides the large block.
    const options = { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 * 1024 };
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
