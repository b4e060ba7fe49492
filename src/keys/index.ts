export { KeysModule } from './keys.module.js';
export { KeyRing, KeyRingModule, type KeyRingOptions, type PublicKeys } from './read/index.js';
export {
  KeyDecryptionError,
  SigningKeys,
  type KeysOptions,
  type SigningKey,
} from './write/index.js';
