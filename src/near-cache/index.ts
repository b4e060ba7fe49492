export { CacheKey } from './cache-key.js';
export {
  ChangeFeed,
  type ChangeAnnounced,
  type ChangeEvent,
  type ChangeSettled,
  type HolderResult,
} from './change-feed.js';
export { createNearCache } from './create-near-cache.js';
export { CHANGE_NUMBER, type SlotCall, type SlotWrite } from './directory.js';
export { InstanceRegistry } from './instance-registry.js';
export type { ListedInstance } from './instance-report.js';
export { NearCache, type GetOptions, type SlotRead } from './near-cache.js';
export { NearCacheModule } from './near-cache.module.js';
export type { NearCacheOptions } from './near-cache.options.js';
export { CHANGE_BUCKETS_SECONDS } from './recent-changes.js';
