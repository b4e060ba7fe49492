import type { KeyBuilder } from '../../redis-cluster/index.js';

/** The near cache subject of the public keys and of the signing key. */
export const KEYS_SUBJECT = 'keys.signing';

/** How long clients may cache the published set, in seconds. */
export const JWKS_MAX_AGE_SECONDS = 300;

/** @returns the name of a key in the slot of the signing keys */
export function keySetKey(keys: KeyBuilder, part: 'set' | 'fence'): string {
  return keys.key(['keys', 'signing'], part);
}
