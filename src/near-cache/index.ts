export { CacheKey } from './cache-key.js';
export { createNearCache } from './create-near-cache.js';
export { CHANGE_NUMBER, type SlotCall, type SlotWrite } from './directory.js';
export { NearCache, type GetOptions, type SlotRead } from './near-cache.js';
export { NearCacheModule } from './near-cache.module.js';
export type { NearCacheOptions } from './near-cache.options.js';
