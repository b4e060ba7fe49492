import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';

import { ClockModule } from '../common/clock/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { RoleReader } from '../roles/read/index.js';
import { ServiceAccountReader } from '../service-accounts/read/index.js';
import { Tracing } from '../tracing/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { GuardMetrics } from './guard-metrics.js';
import { ConfigurableModuleClass, GUARD_OPTIONS } from './guard.module-definition.js';
import type { GuardOptions } from './guard.options.js';
import { GuardedStreams } from './guarded-streams.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { CurrentRolesGuard } from './current-roles.guard.js';
import { PermissionCheck } from './permission-check.js';
import { TracedGuard } from './traced.guard.js';
import { VerifiedTokens } from './verified-tokens.js';

/**
 * The guards of all routes of the application. They deny by default. The module checks tokens and issues none, so it needs no
 * secret and creates no key. Needs MetricsModule, RedisClusterModule, NearCacheModule, KeyRingModule (or KeysModule) and
 * SessionReaderModule (or SessionsModule) in the same application.
 */
@Module({
  imports: [ClockModule, DiscoveryModule],
  providers: [
    AccessTokenValidator,
    VerifiedTokens,
    JwtStrategy,
    JwtAuthGuard,
    CurrentRolesGuard,
    PermissionCheck,
    GuardMetrics,
    GuardedStreams,
    {
      provide: RoleReader,
      inject: [RedisCluster, NearCache, GUARD_OPTIONS],
      useFactory: (redis: RedisCluster, cache: NearCache, options: GuardOptions) =>
        new RoleReader(redis, cache, options),
    },
    {
      provide: ServiceAccountReader,
      inject: [RedisCluster, NearCache],
      useFactory: (redis: RedisCluster, cache: NearCache) => new ServiceAccountReader(redis, cache),
    },
    {
      provide: APP_GUARD,
      inject: [JwtAuthGuard, { token: Tracing, optional: true }],
      useFactory: (guard: JwtAuthGuard, tracing?: Tracing) =>
        tracing?.spans ? new TracedGuard(guard, tracing.spans) : guard,
    },
    { provide: APP_GUARD, useExisting: CurrentRolesGuard },
  ],
  exports: [AccessTokenValidator, JwtAuthGuard, PermissionCheck, RoleReader, ServiceAccountReader],
})
export class GuardModule extends ConfigurableModuleClass {}
