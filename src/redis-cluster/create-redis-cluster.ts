import type { Clock } from '../common/clock/index.js';
import type { MetricsRegistry } from '../metrics/registry/index.js';
import { ClusterTime } from './cluster-time.js';
import { EvictionPolicy } from './eviction-policy.js';
import { RedisCluster } from './redis-cluster.js';
import { RedisClusterMetrics } from './redis-cluster.metrics.js';
import type { RedisClusterOptions } from './redis-cluster.options.js';
import { RedisDiagnosis } from './redis-diagnosis.js';

/**
 * Creates what RedisClusterModule provides, for a process without a Nest application.
 *
 * @returns the access to Redis, and the parts whose lifecycle hooks the caller has to call
 */
export function createRedisCluster(
  clock: Clock,
  metrics: MetricsRegistry,
  options: RedisClusterOptions,
): {
  readonly redis: RedisCluster;
  readonly time: ClusterTime;
  readonly diagnosis: RedisDiagnosis;
  readonly parts: readonly object[];
} {
  const redis = new RedisCluster(options);
  new RedisClusterMetrics(metrics, redis);
  const time = new ClusterTime(redis, clock);
  const parts = [redis, time, new EvictionPolicy(redis, options)];
  return { redis, time, diagnosis: new RedisDiagnosis(options), parts };
}
