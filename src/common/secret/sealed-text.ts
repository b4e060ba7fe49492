import { compactDecrypt, CompactEncrypt } from 'jose';
import { hkdfSync } from 'node:crypto';

import type { Secret } from './secret.js';
import type { SecretPurpose } from './secret-purposes.js';

/** Derives a key from a secret for one purpose (HKDF, RFC 5869). Each purpose has a different key. */
export function deriveKey(secret: Secret, purpose: SecretPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret.reveal(), '', purpose, 32));
}

/** @returns a compact JWE (RFC 7516) with `dir` and A256GCM, encrypted with a key that is derived from the secret */
export async function seal(text: string, secret: Secret, purpose: SecretPurpose): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(deriveKey(secret, purpose));
}

/** @throws when the text was sealed with another secret or was modified */
export async function unseal(
  sealed: string,
  secret: Secret,
  purpose: SecretPurpose,
): Promise<string> {
  const { plaintext } = await compactDecrypt(sealed, deriveKey(secret, purpose));
  return new TextDecoder().decode(plaintext);
}
