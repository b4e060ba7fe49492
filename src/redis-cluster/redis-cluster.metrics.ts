import { Injectable } from '@nestjs/common';

import { MetricsRegistry } from '../metrics/registry/index.js';
import { RedisCluster } from './redis-cluster.js';

/** The metrics of calls to Redis. */
@Injectable()
export class RedisClusterMetrics {
  constructor(registry: MetricsRegistry, redis: RedisCluster) {
    registry.histogram(
      'keyslot_redis_call_duration_seconds',
      'Duration of calls, including the confirmation where a write waits for it; by script or command.',
      () => {
        redis.calls.forgetOldNodes();
        return redis.calls.durations;
      },
    );
    registry.counters(
      'keyslot_redis_call_errors_total',
      'Failed calls, including those that were retried; by error code, or not-confirmed or no-answer.',
      () => redis.calls.errors,
    );
    registry.counters(
      'keyslot_redis_single_copy_writes_total',
      'Durable writes that succeeded while no replica of their master could confirm them.',
      () => redis.calls.singleCopyWrites,
    );
  }
}
