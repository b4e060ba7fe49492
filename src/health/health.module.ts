import { Module } from '@nestjs/common';

import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

/**
 * Liveness and readiness, for whatever restarts instances and sends them requests. Needs NearCacheModule, KeysModule and
 * RedisClusterModule in the same application.
 */
@Module({ controllers: [HealthController], providers: [Readiness] })
export class HealthModule {}
