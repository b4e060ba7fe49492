import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { ClusterTime } from './cluster-time.js';
import { EvictionPolicy } from './eviction-policy.js';
import { ConfigurableModuleClass } from './redis-cluster.module-definition.js';
import { RedisCluster } from './redis-cluster.js';
import { RedisClusterHealth } from './redis-cluster.health.js';
import { RedisClusterMetrics } from './redis-cluster.metrics.js';
import { RedisDiagnosis } from './redis-diagnosis.js';

/**
 * The access of the whole application to one Redis Cluster. Needs MetricsModule in the same application. Global unless
 * `isGlobal: false`.
 */
@Module({
  imports: [ClockModule],
  providers: [
    RedisCluster,
    RedisClusterHealth,
    RedisClusterMetrics,
    ClusterTime,
    EvictionPolicy,
    RedisDiagnosis,
  ],
  exports: [RedisCluster, RedisClusterHealth, ClusterTime, EvictionPolicy, RedisDiagnosis],
})
export class RedisClusterModule extends ConfigurableModuleClass {}
