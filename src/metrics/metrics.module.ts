import { Module } from '@nestjs/common';

import { MetricsController } from './metrics.controller.js';
import { MetricsRegistry, MetricsRegistryModule } from './registry/index.js';

/** Metrics of the application and of its process, for Prometheus. */
@Module({ imports: [MetricsRegistryModule], controllers: [MetricsController] })
export class MetricsModule {
  constructor(registry: MetricsRegistry) {
    registry.collectProcessMetrics();
  }
}
