import { compactDecrypt, CompactEncrypt, type JWK } from 'jose';
import { hkdfSync } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';

/** The private key in Redis was encrypted with another secret. The message is meant for the operator. */
export class KeyDecryptionError extends Error {
  override readonly name = 'KeyDecryptionError';
}

/** @returns a compact JWE (RFC 7516): `dir`, A256GCM, under a key derived from the secret */
export async function encryptKey(key: JWK, secret: Secret): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(key)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(derivedKey(secret));
}

/** @throws KeyDecryptionError */
export async function decryptKey(encrypted: string, secret: Secret): Promise<JWK> {
  try {
    const { plaintext } = await compactDecrypt(encrypted, derivedKey(secret));
    return JSON.parse(new TextDecoder().decode(plaintext)) as JWK;
  } catch (cause) {
    throw new KeyDecryptionError(
      'The signing key in Redis was encrypted with another secret. Set KEY_ENCRYPTION_SECRET to the same value for ' +
        'every instance of the cluster.',
      { cause },
    );
  }
}

function derivedKey(secret: Secret): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret.reveal(), '', 'keyslot signing keys', 32));
}
