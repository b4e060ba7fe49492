export { deriveKey, seal, unseal } from './sealed-text.js';
export { Secret } from './secret.js';
