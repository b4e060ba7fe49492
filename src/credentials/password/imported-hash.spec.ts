import { pbkdf2Sync } from 'node:crypto';

import { Secret } from '../../common/secret/index.js';
import { importedHashIn, storedImportedHash, verifyImportedHash } from './imported-hash.js';

/** As a system that does not normalize passwords has stored it. */
function hashOf(password: string): string {
  const hash = pbkdf2Sync(password, 'salt', 1000, 32, 'sha256').toString('base64');
  return `pbkdf2_sha256$1000$salt$${hash}`;
}

describe('a hash of another system', () => {
  const composed = 'Café'.normalize('NFC');
  const decomposed = composed.normalize('NFD');

  it.each([
    ['as it was hashed, composed', composed, composed, true],
    ['as it was hashed, decomposed', decomposed, decomposed, true],
    ['decomposed, when it was hashed composed', composed, decomposed, true],
    [
      'composed, when it was hashed decomposed: as in the other system',
      decomposed,
      composed,
      false,
    ],
    ['that is another one', composed, 'Cafe', false],
  ])('is verified with a password %s', async (_, hashed, sent, isRight) => {
    await expect(verifyImportedHash(hashOf(hashed), new Secret(sent))).resolves.toBe(isRight);
  });

  it('is not verified with a password of more bytes than a password may have', async () => {
    const long = 'x'.repeat(1025);

    await expect(verifyImportedHash(hashOf(long), new Secret(long))).resolves.toBe(false);
  });

  it('is verified once with a long password, so that a client cannot double the work', async () => {
    const [short, long] = [decomposed.repeat(20), decomposed.repeat(40)];
    const verify = async (sent: string): Promise<boolean> =>
      verifyImportedHash(hashOf(sent.normalize('NFC')), new Secret(sent));

    await expect(verify(short)).resolves.toBe(true);
    await expect(verify(long)).resolves.toBe(false);
    await expect(verifyImportedHash(hashOf(long), new Secret(long))).resolves.toBe(true);
  });

  it('is not verified if it cannot be read', async () => {
    await expect(verifyImportedHash('sha1$a$b', new Secret('b'))).resolves.toBe(false);
  });

  it('is told apart from the hashes of this installation', () => {
    const hash = hashOf(composed);

    expect(importedHashIn(storedImportedHash(hash))).toBe(hash);
    expect(importedHashIn(hash)).toBeUndefined();
  });
});
