export { MetricsModule } from './metrics.module.js';
export {
  DurationTally,
  mergedMetrics,
  MetricsRegistry,
  seriesBy,
  type Series,
} from './registry/index.js';
