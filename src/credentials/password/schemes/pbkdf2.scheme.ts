import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

import { bytesIn, digestIn, isEqual, numberIn, type HashScheme } from './hash-scheme.js';

/** `$pbkdf2-sha256$i=27500,l=32$…$…`: PHC string format. Auth0 expects it, and Keycloak's hashes are converted to it. */
const PHC = /^\$pbkdf2-(sha1|sha256|sha512)\$i=(\d+)(?:,l=(\d+))?\$([^$]*)\$([^$]+)$/;
/** `$pbkdf2-sha256$29000$…$…`: modular crypt format of passlib, with `.` for `+`. `$pbkdf2$` means SHA-1. */
const PASSLIB = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(\d+)\$([^$]*)\$([^$]+)$/;
/** `pbkdf2_sha256$600000$salt$…`. The salt is text. */
const DJANGO = /^pbkdf2_(sha1|sha256)\$(\d+)\$([^$]+)\$([^$]+)$/;

type Digest = 'sha1' | 'sha256' | 'sha512';

/** Bytes of one block. The work is the number of iterations times the number of blocks. */
const BLOCK_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };
/** About a second. Django uses 1,500,000 iterations with SHA-256, Keycloak 1,300,000 with SHA-1 and four blocks. */
const MAX_WORK: Readonly<Record<Digest, number>> = {
  sha1: 5_200_000,
  sha256: 4_500_000,
  sha512: 2_000_000,
};
const MAX_SALT_BYTES = 1024;

const derive = promisify(pbkdf2);

interface Parts {
  readonly digest: Digest;
  readonly iterations: number | undefined;
  readonly salt: Buffer | undefined;
  readonly hash: Buffer | undefined;
}

/** PBKDF2 (RFC 8018) with HMAC-SHA-1, HMAC-SHA-256 or HMAC-SHA-512. */
export const pbkdf2Scheme: HashScheme = {
  read: (text) => {
    if (!/^\$pbkdf2[-$]|^pbkdf2_/.test(text)) {
      return undefined;
    }
    const { digest, iterations, salt, hash } = partsOf(text) ?? {};
    if (!digest || !iterations || !salt || !hash || salt.length > MAX_SALT_BYTES) {
      return 'malformed-hash';
    }
    if (iterations * Math.ceil(hash.length / BLOCK_BYTES[digest]) > MAX_WORK[digest]) {
      return 'too-expensive';
    }
    return {
      verify: async (password) =>
        isEqual(await derive(password, salt, iterations, hash.length, digest), hash),
    };
  },
};

function partsOf(text: string): Parts | undefined {
  const phc = PHC.exec(text);
  if (phc) {
    const [, digest, iterations, length, salt = '', hash = ''] = phc;
    const bytes = digestIn(hash);
    const isWhole = length === undefined || numberIn(length) === bytes?.length;
    return {
      digest: digest as Digest,
      iterations: numberIn(iterations),
      salt: bytesIn(salt),
      hash: isWhole ? bytes : undefined,
    };
  }
  const passlib = PASSLIB.exec(text);
  if (passlib) {
    const [, digest = 'sha1', iterations, salt = '', hash = ''] = passlib;
    return {
      digest: digest as Digest,
      iterations: numberIn(iterations),
      salt: bytesIn(salt, './'),
      hash: digestIn(hash, './'),
    };
  }
  const [, digest, iterations, salt = '', hash = ''] = DJANGO.exec(text) ?? [];
  return digest === undefined
    ? undefined
    : {
        digest: digest as Digest,
        iterations: numberIn(iterations),
        salt: Buffer.from(salt),
        hash: digestIn(hash),
      };
}
