export { KeyDecryptionError } from './key-encryption.js';
export {
  KeyRotation,
  NoKeyError,
  type KeyRotationOptions,
  type RotateOutcome,
  type WithdrawOutcome,
} from './key-rotation.js';
export { KeyRotationSchedule } from './key-rotation-schedule.js';
export type { CurrentKey, KeySet, PublishedKey, RetiredKey } from './key-set.js';
export { KeySetStore } from './key-set-store.js';
export { PUBLICATION_MS, RETENTION_MS } from './key-times.js';
export { ConfigurableModuleClass, KEYS_OPTIONS } from './keys.module-definition.js';
export type { KeysOptions } from './keys.options.js';
export { SigningKeys, type SigningKey } from './signing-keys.js';
