import { AggregatorRegistry } from 'prom-client';

import type { Value } from './read-metric.js';

/** A metric with its values, as a message to another process. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Value[];
}

/**
 * The text of several registries. Each series must have a label that tells the registries apart: nothing is added up, so a
 * counter that begins again with a new process stays a counter.
 */
export async function mergedMetrics(
  registries: readonly (readonly MetricSnapshot[])[],
): Promise<string> {
  const kept = registries.map((metrics) =>
    // prom-client omits some metrics when it aggregates. A sum of one value is the value.
    metrics.map((metric) => ({ ...metric, aggregator: 'sum' })),
  );
  return AggregatorRegistry.aggregate(kept).metrics();
}
