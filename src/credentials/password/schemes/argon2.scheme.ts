import argon2 from 'argon2';

import { digestIn, bytesIn, numberIn, type HashScheme } from './hash-scheme.js';

const FORM =
  /^(?:argon2)?(\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$m=(\d+),t=(\d+),p=(\d+)\$([^$,]+)\$([^$]+))$/;

/** More than Django uses: 100 MiB. */
const MAX_MEMORY_KIB = 128 * 1024;
/** Memory times passes. About a second. */
const MAX_WORK_KIB = 1024 * 1024;
const MAX_LANES = 16;
/** Of the reference implementation. */
const MIN_SALT_BYTES = 8;

/** Argon2id, Argon2i and Argon2d (RFC 9106) in PHC string format, also with Django's prefix. */
export const argon2Scheme: HashScheme = {
  read: (text) => {
    if (!/^(?:argon2)?\$argon2/.test(text)) {
      return undefined;
    }
    const [, hash, memory, passes, lanes, salt = '', digest = ''] = FORM.exec(text) ?? [];
    const [memoryKib, times, parallelism] = [memory, passes, lanes].map(numberIn);
    const saltBytes = bytesIn(salt)?.length ?? 0;
    if (!hash || !memoryKib || !times || !parallelism || saltBytes < MIN_SALT_BYTES) {
      return 'malformed-hash';
    }
    if (!digestIn(digest) || memoryKib < 8 * parallelism) {
      return 'malformed-hash';
    }
    const isExpensive = memoryKib > MAX_MEMORY_KIB || memoryKib * times > MAX_WORK_KIB;
    return isExpensive || parallelism > MAX_LANES
      ? 'too-expensive'
      : { verify: async (password) => argon2.verify(hash, password) };
  },
};
