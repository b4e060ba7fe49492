export { deriveKey, seal, unseal } from './sealed-text.js';
export { Secret } from './secret.js';
export { Tags } from './tags.js';
export { SECRET_PURPOSES } from './secret-purposes.js';
