import { pbkdf2, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { promisify } from 'node:util';

import { readHash } from './index.js';

/** Hashes that others have published with their passwords. */
const PUBLISHED: readonly [source: string, password: string, hash: string][] = [
  [
    'Argon2 reference implementation, test.c',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'Argon2 reference implementation, test.c: version 1.0',
    'password',
    '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  ],
  [
    'Argon2 reference implementation, test.c: Argon2id',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'Django, tests/auth_tests/test_hashers.py: Argon2',
    'secret',
    'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
  ],
  [
    'crypt_blowfish, wrapper.c',
    'U*U',
    '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  ],
  [
    'crypt_blowfish, wrapper.c: version of PHP',
    'U*U',
    '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  ],
  [
    'jBCrypt, TestBCrypt.java',
    'abcdefghijklmnopqrstuvwxyz',
    '$2a$10$fVH8e28OQRj9tqiDXs1e1uxpsjN0c7II7YPKXua2NAKYvM6iQk7dq',
  ],
  [
    'Django, as its BCryptSHA256PasswordHasher makes them',
    'password',
    'bcrypt_sha256$$2b$12$VADBCPlCt0wMa2zjUgaXl.jnrvoNt/kgjtRY7i./fo0V2IEp1l6f2',
  ],
  [
    'Django, as its BCryptPasswordHasher makes them',
    'ExjGmyUT73bFoT',
    'bcrypt$$2b$12$LZSJchsWG/DrBy1erNs4ee31eJ7DaWiuwhDOC7aqIyqGGggfu6Y/.',
  ],
  [
    'Django, tests/auth_tests/test_hashers.py: PBKDF2',
    'lètmein',
    'pbkdf2_sha256$600000$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
  ],
  [
    'Django, tests/auth_tests/test_hashers.py: PBKDF2 with SHA-1',
    'lètmein',
    'pbkdf2_sha1$600000$seasalt2$2CLsaL1MZhq6JOG6QOHtVbiopHE=',
  ],
  [
    'passlib, documentation: PBKDF2 with SHA-256',
    'toomanysecrets',
    '$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk',
  ],
  [
    'hashcat, mode 20200: passlib, PBKDF2 with SHA-512',
    'hashcat',
    '$pbkdf2-sha512$25000$LyWE0HrP2RsjZCxlDGFMKQ$1vC5Ohk2mCS9b6akqsEfgeb4l74SF8XjH.SljXf3dMLHdlY1GK9ojcCKts6/asR4aPqBmk74nCDddU3tvSCJvw',
  ],
  [
    'RFC 6070, section 2, in PHC string format',
    'passwordPASSWORDpassword',
    '$pbkdf2-sha1$i=4096,l=25$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA',
  ],
  [
    'RFC 7914, section 11: PBKDF2 with SHA-256, in PHC string format',
    'Password',
    '$pbkdf2-sha256$i=80000,l=64$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ',
  ],
  [
    'RFC 7914, section 12: scrypt, in PHC string format',
    'pleaseletmein',
    '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
  ],
  [
    'passlib, documentation of scrypt',
    'password',
    '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
  ],
  [
    'Django, tests/auth_tests/test_hashers.py: scrypt',
    'lètmein',
    'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
  ],
  [
    'SHA-crypt specification: SHA-256',
    'Hello world!',
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  ],
  [
    'SHA-crypt specification: SHA-256, a long password',
    'a very much longer text to encrypt.  This one even stretches over morethan one line.',
    '$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1',
  ],
  [
    'SHA-crypt specification: SHA-256, fewer rounds than the minimum',
    'the minimum number is still observed',
    '$5$rounds=10$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC',
  ],
  [
    'SHA-crypt specification: SHA-512',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'SHA-crypt specification: SHA-512, 77777 rounds',
    'we have a short salt string but not a short password',
    '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
  ],
  // Lengths of which another implementation computes a wrong hash.
  [
    'openssl passwd -5: a password as long as the digest',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '$5$saltstring$xLASXGU7L2tnQezB4rwhJEBqDVqcstZLQvC6JaczsJA',
  ],
  [
    'openssl passwd -6: a password as long as the digest',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '$6$saltstring$SSoAqlzjEXraQ.dDguxosFViX0Mfw4O.kEQXNqWn2FWfLIsQUWxK3xUguKKWh/yPYlb6YCK5MTl1eAQTuZtVf.',
  ],
];

/** As glibc's crypt makes them of 200 times `x`: with the rounds of passlib, and with the default. */
const LONG_SHA_CRYPT =
  '$6$rounds=656000$short$5lLcfPjG380JYKjq/VwZ1Y1ihgjiWiIdqQ7jwwM5mwToLo6Kw0RI/3Lapb4aGvHgOem41M2juqZUUleI.KgfO1';
const SHORT_SHA_CRYPT =
  '$6$rounds=5000$short$DZzmoWgvD917pnD5Gxg0IIwyJZ9EBz3IwD0EOH1E5eHBZFG2cYnN00hS839JSofaQ9AZ4YWfin/BqM.TJ951H1';

describe('hashes of other systems', () => {
  it.each(PUBLISHED)('verifies a published hash: %s', async (_, password, hash) => {
    const read = readHash(hash);
    if (typeof read === 'string') {
      throw new Error(read);
    }

    await expect(read.verify(password)).resolves.toBe(true);
    await expect(read.verify(`${password}x`)).resolves.toBe(false);
    await expect(read.verify(password.toUpperCase() + '!')).resolves.toBe(false);
  });

  it('verifies a hash of scrypt with the parameters that OWASP recommends', async () => {
    const salt = Buffer.from('sixteen bytes ok');
    const key = scryptSync('password', salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 });
    const read = readHash(
      `$scrypt$ln=17,r=8,p=1$${salt.toString('base64')}$${key.toString('base64')}`,
    );
    if (typeof read === 'string') {
      throw new Error(read);
    }

    await expect(read.verify('password')).resolves.toBe(true);
  });

  /** Forms as above; each would take minutes, or gigabytes. */
  it.each([
    '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=2,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    'pbkdf2_sha256$2147483647$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
    '$pbkdf2-sha512$2147483647$LyWE0HrP2RsjZCxlDGFMKQ$1vC5Ohk2mCS9b6akqsEfgeb4l74SF8XjH.SljXf3dMLHdlY1GK9ojcCKts6/asR4aPqBmk74nCDddU3tvSCJvw',
    '$argon2id$v=19$m=131073,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$6$rounds=700001$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
    '$scrypt$ln=18,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$scrypt$ln=30,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    'scrypt$16384$seasalt$8$1024$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
    '$6$rounds=999999999$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
  ])('refuses a hash that is too expensive: %s', (hash) => {
    expect(readHash(hash)).toBe('too-expensive');
  });

  it.each([
    '$argon2id$v=19$m=0,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFh',
    '$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe',
    'pbkdf2_sha256$0$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
    'pbkdf2_sha256$-1$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
    'pbkdf2_md5$1000$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=',
    '$pbkdf2-sha256$i=80000,l=32$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ',
    'scrypt$16383$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
    // RFC 7914 section 2: N must be less than 2^16.
    '$scrypt$ln=16,r=1,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$scrypt$ln=64,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$6$rounds=$short$WuQyW2YR',
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc',
  ])('refuses a malformed hash: %s', (hash) => {
    expect(readHash(hash)).toBe('malformed-hash');
  });

  it.each([
    '',
    'plain text',
    '88a434c88cca4e900f7874cd98123f43',
    'sha1$salt$cff36ea8',
    '$1$salt$a',
  ])('does not know other hashes: %s', (hash) => {
    expect(readHash(hash)).toBe('unknown-hash');
  });

  it('ignores with bcrypt what follows 72 bytes, as other systems do', async () => {
    // From crypt_blowfish, wrapper.c.
    const long = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    const read = readHash('$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui');
    if (typeof read === 'string') {
      throw new Error(read);
    }

    await expect(read.verify(`${long}chars after 72 are ignored`)).resolves.toBe(true);
    await expect(read.verify(long.slice(0, 71))).resolves.toBe(false);
  });

  it('does not hash a password that makes SHA-crypt too expensive', async () => {
    const long = 'x'.repeat(200);
    const read = readHash(LONG_SHA_CRYPT);
    const common = readHash(SHORT_SHA_CRYPT);
    if (typeof read === 'string' || typeof common === 'string') {
      throw new Error('not read');
    }

    await expect(read.verify(long)).resolves.toBe(false);
    await expect(common.verify(long)).resolves.toBe(true);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'computes SHA-crypt at a lower priority than requests are answered',
    async () => {
      const read = readHash(SHORT_SHA_CRYPT.replace('rounds=5000', 'rounds=100000'));
      if (typeof read === 'string') {
        throw new Error(read);
      }
      // The thread pool runs already.
      await promisify(pbkdf2)('password', 'salt', 1, 32, 'sha256');
      const before = new Set(readdirSync('/proc/self/task'));
      const seen = new Set<number>();
      let isDone = false;
      const check = read.verify('password').finally(() => (isDone = true));

      while (!isDone) {
        for (const thread of readdirSync('/proc/self/task').filter((id) => !before.has(id))) {
          seen.add(niceOf(thread));
        }
        await new Promise(setImmediate);
      }
      await check;

      expect(Math.max(...seen)).toBeGreaterThan(getPriority());
      expect(getPriority(process.pid)).toBe(niceOf(String(process.pid)));
    },
  );

  it('accepts no password with a NUL for bcrypt', async () => {
    const read = readHash('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
    if (typeof read === 'string') {
      throw new Error(read);
    }

    await expect(read.verify('U*U\0more')).resolves.toBe(false);
    await expect(read.verify('U*U\0')).resolves.toBe(false);
  });
});

/** The nice value of a thread, see proc(5). */
function niceOf(thread: string): number {
  try {
    const [, rest = ''] = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ');
    return Number(rest.split(' ')[16]);
  } catch {
    // The thread has just ended.
    return getPriority();
  }
}
