import { Injectable } from '@nestjs/common';

import { MetricsRegistry, seriesBy, type Series } from '../metrics/index.js';
import type { RedisClusterState, SingleCopyShard } from '../redis-cluster/index.js';
import { Readiness, type ReadinessReport } from './readiness.js';

type Count = Exclude<keyof RedisClusterState, 'isHealthy' | 'singleCopyShards'>;

/** Exports the readiness checks to Prometheus. Each scrape runs the checks. */
@Injectable()
export class HealthMetrics {
  constructor(registry: MetricsRegistry, readiness: Readiness) {
    registry.gauges(
      'keyslot_health_status',
      '1 for the current status of /health/ready, 0 for the others.',
      async () => {
        const { status } = await readiness.check();
        const is = (name: ReadinessReport['status']): number => (status === name ? 1 : 0);
        return seriesBy('status', {
          ok: is('ok'),
          degraded: is('degraded'),
          'not-ready': is('not-ready'),
        });
      },
    );
    const count = (name: string, help: string, of: Count): void =>
      registry.gauge(`keyslot_redis_${name}`, `${help} NaN when no node replies.`, async () => {
        const { redis } = (await readiness.check()).checks;
        return redis?.[of] ?? NaN;
      });
    count('masters', 'Masters that serve slots, as reported by the cluster.', 'masters');
    count('unreached_masters', 'Masters that this instance cannot reach.', 'unreachedMasters');
    count('replicas', 'Replicas that are up, as reported by the cluster.', 'replicas');
    count('uncovered_slots', 'Slots that no master serves.', 'uncoveredSlots');
    const singleCopy = (
      name: string,
      help: string,
      valueOf: (shard: SingleCopyShard) => number,
    ): void =>
      registry.gauges(`keyslot_redis_single_copy_${name}`, help, async () => {
        const { redis } = (await readiness.check()).checks;
        return (redis?.singleCopyShards ?? []).map((shard): Series<number> => [
          { node: shard.master },
          valueOf(shard),
        ]);
      });
    singleCopy(
      'since_timestamp_seconds',
      'When a master lost its last replica. Only masters without a replica have a value.',
      ({ since }) => Date.parse(since) / 1000,
    );
    singleCopy(
      'slots',
      'Slots of a master without a replica. Only masters without a replica have a value.',
      ({ slots }) => slots,
    );
  }
}
