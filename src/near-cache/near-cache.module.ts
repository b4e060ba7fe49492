import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { Announcer } from './announcer.js';
import { ChangeFeed } from './change-feed.js';
import { Directory } from './directory.js';
import { Inboxes } from './inboxes.js';
import { InstanceRegistry } from './instance-registry.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { NearCache } from './near-cache.js';
import { NearCacheMetrics } from './near-cache.metrics.js';
import { ConfigurableModuleClass, NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';

/**
 * The coherent in-process cache of the cluster. Needs RedisClusterModule and MetricsModule in the same application.
 * Global unless `isGlobal: false`.
 */
@Module({
  imports: [ClockModule],
  providers: [
    NearCache,
    NearCacheMetrics,
    Announcer,
    ChangeFeed,
    Membership,
    Directory,
    InstanceRegistry,
    Inboxes,
    {
      provide: LocalStore,
      inject: [NEAR_CACHE_OPTIONS],
      useFactory: (options: NearCacheOptions) => {
        const { maxEntries, maxBytes } = { ...NEAR_CACHE_DEFAULTS, ...options };
        return new LocalStore(maxEntries, maxBytes);
      },
    },
  ],
  exports: [ChangeFeed, InstanceRegistry, NearCache],
})
export class NearCacheModule extends ConfigurableModuleClass {}
