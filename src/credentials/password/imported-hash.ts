import type { Secret } from '../../common/secret/index.js';
import { PASSWORD_MAX_LENGTH } from './password-policy.js';
import { readHash } from './schemes/index.js';

/** No hasher creates a hash that begins like this. So a stored hash of another system is never passed to the hasher. */
const MARK = 'imported:';
/** A code point has at most four bytes. */
const MAX_PASSWORD_BYTES = 4 * PASSWORD_MAX_LENGTH;
/** Longer than what people enter. A second check costs as much as the first one, and the client chooses whether it is needed. */
const MAX_NORMALIZED_BYTES = 128;

/** How a hash of another system is stored. */
export function storedImportedHash(hash: string): string {
  return MARK + hash;
}

/** @returns the hash of another system, or undefined when the hasher of this installation has created the stored hash */
export function importedHashIn(stored: string): string | undefined {
  return stored.startsWith(MARK) ? stored.slice(MARK.length) : undefined;
}

/**
 * Verifies a password against the hash of another system. Other systems hash the password as the client sends it, so this form
 * is tried first, and then the NFC form of a short one, with which the client may have sent it to the other system.
 */
export async function verifyImportedHash(hash: string, password: Secret): Promise<boolean> {
  const read = readHash(hash);
  const text = password.reveal();
  const bytes = Buffer.byteLength(text);
  if (typeof read === 'string' || bytes > MAX_PASSWORD_BYTES) {
    return false;
  }
  const normalized = bytes > MAX_NORMALIZED_BYTES ? text : text.normalize('NFC');
  return (await read.verify(text)) || (normalized !== text && (await read.verify(normalized)));
}
