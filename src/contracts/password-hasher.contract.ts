import assert from 'node:assert/strict';

import { Secret } from '../common/secret/index.js';
import type { PasswordHasher } from '../users/index.js';
import type { TestRunner } from './test-runner.js';

const PASSWORD = 'violet engines hum at dawn';
/** The maximum length of a password in bytes: four for each of 256 characters. */
const LONG = '🌒'.repeat(256);

const MALFORMED_HASHES = [
  '',
  'hash',
  '$',
  '$argon2id$',
  '$2b$10$',
  PASSWORD,
  '\u0000',
  'x'.repeat(10_000),
];

/** The tests that every `PasswordHasher` must pass. Call it in the tests of yours: `passwordHasherContract({ describe, it }, …)`. */
export function passwordHasherContract(
  { describe, it }: TestRunner,
  create: () => PasswordHasher | Promise<PasswordHasher>,
): void {
  describe('as a password hasher', () => {
    it('verifies the hashed password, and no other', async () => {
      const hasher = await create();
      const hash = await hasher.hash(new Secret(PASSWORD));

      assert.equal(await hasher.verify(hash, new Secret(PASSWORD)), true);
      for (const other of ['', PASSWORD.toUpperCase(), `${PASSWORD} `, PASSWORD.slice(1), hash]) {
        assert.equal(await hasher.verify(hash, new Secret(other)), false, `it accepts '${other}'`);
      }
    });

    it('gives each hash its own salt, and no hash contains the password', async () => {
      const hasher = await create();

      const hashes = await Promise.all(
        Array.from({ length: 3 }, () => hasher.hash(new Secret(PASSWORD))),
      );

      assert.equal(new Set(hashes).size, hashes.length);
      for (const hash of hashes) {
        assert.ok(!hash.includes(PASSWORD));
        assert.ok(!hash.includes(Buffer.from(PASSWORD).toString('base64').slice(0, 30)));
      }
    });

    it('uses every character of a password of the maximum length', async () => {
      const hasher = await create();
      const hash = await hasher.hash(new Secret(`${LONG}a`));

      assert.equal(await hasher.verify(hash, new Secret(`${LONG}a`)), true);
      assert.equal(await hasher.verify(hash, new Secret(`${LONG}b`)), false);
    });

    it('uses the characters after a zero byte', async () => {
      const hasher = await create();
      const hash = await hasher.hash(new Secret('violet\u0000dawn'));

      assert.equal(await hasher.verify(hash, new Secret('violet\u0000dusk')), false);
      assert.equal(await hasher.verify(hash, new Secret('violet')), false);
    });

    it('accepts no password for a malformed hash', async () => {
      const hasher = await create();

      for (const malformed of MALFORMED_HASHES) {
        assert.equal(await hasher.verify(malformed, new Secret(PASSWORD)), false);
        assert.equal(await hasher.verify(malformed, new Secret(malformed)), false);
        assert.doesNotThrow(() => hasher.isOutdated(malformed));
      }
    });

    it('does not report its own new hashes as outdated', async () => {
      const hasher = await create();

      assert.equal(hasher.isOutdated(await hasher.hash(new Secret(PASSWORD))), false);
    });

    it('does not block the event loop', async () => {
      const hasher = await create();
      let turns = 0;
      const timer = setInterval(() => (turns += 1), 1);
      let duringHash: number;
      let duringVerify: number;
      try {
        const hash = await hasher.hash(new Secret(PASSWORD));
        duringHash = turns;
        await hasher.verify(hash, new Secret(PASSWORD));
        duringVerify = turns - duringHash;
      } finally {
        clearInterval(timer);
      }

      assert.ok(duringHash > 0 && duringVerify > 0, 'the event loop was blocked');
    });
  });
}
