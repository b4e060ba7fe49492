/** The registry without the route `/metrics`, for processes that serve their metrics themselves. */
export { DurationTally } from './duration-tally.js';
export { mergedMetrics, type MetricSnapshot } from './merged-metrics.js';
export { MetricsRegistryModule } from './metrics-registry.module.js';
export { MetricsRegistry, seriesBy, type Series } from './metrics-registry.js';
