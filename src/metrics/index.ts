export { DurationTally } from './duration-tally.js';
export { MetricsModule } from './metrics.module.js';
export { MetricsRegistry, seriesBy, type Series } from './metrics-registry.js';
