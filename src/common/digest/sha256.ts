import { createHash } from 'node:crypto';

/** @returns the SHA-256 digest of a text in base64url (43 characters), for names of keys and hashes of tokens */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
