export { KeyDecryptionError } from './key-encryption.js';
export { ConfigurableModuleClass, KEYS_OPTIONS } from './keys.module-definition.js';
export type { KeysOptions } from './keys.options.js';
export { SigningKeys, type SigningKey } from './signing-keys.js';
