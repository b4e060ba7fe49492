import { Injectable } from '@nestjs/common';

import { MetricsRegistry, seriesBy } from '../metrics/index.js';
import type { RedisClusterState } from '../redis-cluster/index.js';
import { Readiness, type ReadinessReport } from './readiness.js';

type Count = Exclude<keyof RedisClusterState, 'isHealthy'>;

/** What readiness finds, for Prometheus: looked for whenever somebody reads the metrics. */
@Injectable()
export class HealthMetrics {
  constructor(registry: MetricsRegistry, readiness: Readiness) {
    registry.gauges(
      'keyslot_health_status',
      '1 for the status that /health/ready would tell now, 0 for the others.',
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
      registry.gauge(`keyslot_redis_${name}`, `${help} NaN when no node tells.`, async () => {
        const { redis } = (await readiness.check()).checks;
        return redis?.[of] ?? NaN;
      });
    count('masters', 'Masters that serve slots, as the cluster says.', 'masters');
    count('unreached_masters', 'Those that this instance does not reach.', 'unreachedMasters');
    count('replicas', 'Replicas that are up, as the cluster says.', 'replicas');
    count('uncovered_slots', 'Slots that no master serves.', 'uncoveredSlots');
  }
}
