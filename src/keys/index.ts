export { KeysModule } from './keys.module.js';
export { KeyRing, KeyRingModule, type KeyRingOptions, type PublicKeys } from './read/index.js';
export {
  KeyDecryptionError,
  KeyRotation,
  KeyRotationSchedule,
  KeySetStore,
  NoKeyError,
  PUBLICATION_MS,
  RETENTION_MS,
  SigningKeys,
  type CurrentKey,
  type KeyRotationOptions,
  type KeySet,
  type KeysOptions,
  type PublishedKey,
  type RetiredKey,
  type RotateOutcome,
  type SigningKey,
  type WithdrawOutcome,
} from './write/index.js';
