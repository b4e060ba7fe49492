import type { KeyBuilder } from '../../redis-cluster/index.js';

/** What changes as one in the near cache: the public keys, and the key that signs. */
export const KEYS_SUBJECT = 'keys.signing';

/** @returns the name of a key in the slot of the signing keys */
export function keySetKey(keys: KeyBuilder, part: 'set' | 'fence'): string {
  return keys.key(['keys', 'signing'], part);
}
