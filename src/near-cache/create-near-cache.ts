import type { Clock } from '../common/clock/index.js';
import type { MetricsRegistry } from '../metrics/registry/index.js';
import type { RedisCluster } from '../redis-cluster/index.js';
import { Announcer } from './announcer.js';
import { ChangeFeed } from './change-feed.js';
import { Directory } from './directory.js';
import { Inboxes } from './inboxes.js';
import { InstanceRegistry } from './instance-registry.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { NearCache } from './near-cache.js';
import { NearCacheMetrics } from './near-cache.metrics.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';

/**
 * Creates what NearCacheModule provides, for a process without a Nest application.
 *
 * @returns the cache, and the parts whose lifecycle hooks the caller has to call
 */
export function createNearCache(
  redis: RedisCluster,
  clock: Clock,
  metrics: MetricsRegistry,
  options: NearCacheOptions,
): { readonly cache: NearCache; readonly parts: readonly object[] } {
  const { maxEntries, maxBytes } = { ...NEAR_CACHE_DEFAULTS, ...options };
  const store = new LocalStore(maxEntries, maxBytes);
  const inboxes = new Inboxes(redis);
  const membership = new Membership(inboxes, store, clock, options);
  const feed = new ChangeFeed(redis, clock);
  const own = new NearCacheMetrics(metrics, store, membership);
  const cache = new NearCache(
    store,
    membership,
    new Announcer(inboxes, membership, clock),
    new Directory(redis, options),
    redis,
    clock,
    own,
    feed,
    options,
  );
  const registry = new InstanceRegistry(
    redis,
    membership,
    clock,
    metrics,
    store,
    own,
    feed,
    options,
  );
  return { cache, parts: [membership, registry] };
}
