import { Injectable } from '@nestjs/common';

import { MetricsRegistry, seriesBy } from '../metrics/index.js';
import type { RedisClusterState } from '../redis-cluster/index.js';
import { Readiness, type ReadinessReport } from './readiness.js';

type Count = Exclude<keyof RedisClusterState, 'isHealthy'>;

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
  }
}
