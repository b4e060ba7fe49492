import { sha256 } from '../common/digest/index.js';

/**
 * Verified tokens that a session remembers: the newest and those that a refresh has replaced but that are still valid. One
 * that is forgotten has its signature checked again.
 */
export const MAX_VERIFIED_TOKENS = 3;
/** In base64url: 132 bits. We choose what is in a token, so nobody can look for two that are alike. */
const TOKEN_DIGEST_LENGTH = 22;

/** By which a session remembers that the signature of an access token was verified. */
export function tokenDigest(accessToken: string): string {
  return sha256(accessToken).slice(0, TOKEN_DIGEST_LENGTH);
}
