import { seriesBy, type MetricsRegistry } from '../../metrics/registry/index.js';
import type { TrailQueue } from './trail-queue.js';

/** The metrics of the audit trail in Redis. */
export function registerTrailMetrics(registry: MetricsRegistry, queue: TrailQueue): void {
  registry.counters(
    'keyslot_audit_trail_events_total',
    'Audit events that were recorded in the trail, dropped because the queue was full or Redis did not accept them, or limited as refusals of one caller.',
    () => seriesBy('outcome', queue.outcomes),
  );
  registry.gauge(
    'keyslot_audit_trail_queue_events',
    'Audit events that wait until they are recorded in the trail.',
    () => queue.depth,
  );
}
