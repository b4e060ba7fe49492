export { KeyDecryptionError } from './key-encryption.js';
export { KeysModule } from './keys.module.js';
export type { KeysOptions } from './keys.options.js';
export { SigningKeys, type KeyRing } from './signing-keys.js';
