import { createHash } from 'node:crypto';

/** @returns the SHA-256 digest of a text, in base64url: 43 characters. For names of keys, and to store a hash of a token */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
