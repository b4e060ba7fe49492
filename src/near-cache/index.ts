export { CacheKey } from './cache-key.js';
export { NearCache, type GetOptions } from './near-cache.js';
export { NearCacheModule } from './near-cache.module.js';
export type { NearCacheOptions } from './near-cache.options.js';
