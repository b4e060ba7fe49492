export { deriveKey, seal, unseal } from './sealed-text.js';
export { Secret } from './secret.js';
export { SECRET_PURPOSES, type SecretPurpose } from './secret-purposes.js';
