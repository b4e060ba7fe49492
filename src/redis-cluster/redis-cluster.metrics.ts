import { Injectable } from '@nestjs/common';

import { MetricsRegistry } from '../metrics/index.js';
import { RedisCluster } from './redis-cluster.js';

/** What is asked of Redis, for Prometheus. */
@Injectable()
export class RedisClusterMetrics {
  constructor(registry: MetricsRegistry, redis: RedisCluster) {
    registry.histogram(
      'keyslot_redis_call_duration_seconds',
      'From a call to the answer, with the confirmation of replicas where a write waits for it; by script or command.',
      () => {
        redis.calls.forgetOldNodes();
        return redis.calls.durations;
      },
    );
    registry.counters(
      'keyslot_redis_call_errors_total',
      'Calls that failed, those included that were tried again: the code of the answer, or what there was instead.',
      () => redis.calls.errors,
    );
  }
}
