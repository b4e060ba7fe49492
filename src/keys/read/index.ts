export { KeyRing, type PublicKeys } from './key-ring.js';
export { KEY_RING_OPTIONS } from './key-ring.module-definition.js';
export { KeyRingModule } from './key-ring.module.js';
export type { KeyRingOptions } from './key-ring.options.js';
export { JWKS_MAX_AGE_SECONDS, keySetKey, KEYS_SUBJECT } from './key-set.js';
