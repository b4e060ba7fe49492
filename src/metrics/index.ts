export { MetricsModule } from './metrics.module.js';
export { DurationTally, MetricsRegistry, seriesBy, type Series } from './registry/index.js';
