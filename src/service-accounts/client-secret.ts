import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

import { sha256 } from '../common/digest/index.js';
import { Secret } from '../common/secret/index.js';

/** Lets tools that search texts for leaked secrets recognize it. */
const PREFIX = 'kss_';
const SECRET_BYTES = 32;

export interface CreatedSecret {
  readonly id: string;
  readonly secret: Secret;
  /** What is stored. */
  readonly hash: string;
}

/**
 * Creates a secret with 256 random bits. SHA-256 without a salt is fit to store it: a slow hash delays guesses, and nobody can
 * guess 256 random bits. ASVS 6.5.2 and NIST SP 800-63B-4 section 3.1.2.2 allow a standard hash from 112 bits on.
 */
export function createSecret(): CreatedSecret {
  const text = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  return { id: randomUUID(), secret: new Secret(text), hash: sha256(text) };
}

/** Compares with every stored digest, in constant time. */
export function isOneOf(hashes: readonly Buffer[], secret: Secret): boolean {
  const given = Buffer.from(sha256(secret.reveal()), 'base64url');
  return hashes.reduce((isKnown, hash) => timingSafeEqual(hash, given) || isKnown, false);
}
