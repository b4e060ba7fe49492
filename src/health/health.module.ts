import { Module } from '@nestjs/common';

import { HealthController } from './health.controller.js';
import { HealthMetrics } from './health.metrics.js';
import { Readiness } from './readiness.js';

/**
 * Liveness and readiness, for orchestrators and load balancers. Requires NearCacheModule, KeysModule,
 * RedisClusterModule and MetricsModule in the same application.
 */
@Module({
  controllers: [HealthController],
  providers: [Readiness, HealthMetrics],
  exports: [Readiness],
})
export class HealthModule {}
