import { sha256 } from '../common/digest/index.js';

/**
 * How many verified tokens a session remembers: the newest one, and the ones before it. If the session has forgotten a
 * token, the signature of the token is checked again.
 */
export const MAX_VERIFIED_TOKENS = 3;
/** Characters of base64url: 132 bits. Only Keyslot creates the tokens, so a client cannot search for a collision. */
const TOKEN_DIGEST_LENGTH = 22;

/** @returns the digest under which a session remembers an access token with a verified signature */
export function tokenDigest(accessToken: string): string {
  return sha256(accessToken).slice(0, TOKEN_DIGEST_LENGTH);
}
