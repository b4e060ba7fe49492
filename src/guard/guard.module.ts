import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';

import { ClockModule } from '../common/clock/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { RoleReader } from '../roles/read/index.js';
import { ServiceAccountReader } from '../service-accounts/read/index.js';
import { AccessTokenValidator } from './access-token-validator.js';
import { AccessWatch } from './access-watch.js';
import { GuardMetrics } from './guard-metrics.js';
import {
  ConfigurableModuleClass,
  GUARD_OPTIONS,
  JWT_AUTH_GUARD,
} from './guard.module-definition.js';
import type { GuardOptions } from './guard.options.js';
import { GlobalGuard } from './global.guard.js';
import { GuardedGateways } from './guarded-gateways.js';
import { GuardedMessages } from './guarded-messages.js';
import { GuardedStreams } from './guarded-streams.js';
import { GuardedSubscriptions } from './guarded-subscriptions.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { CurrentRolesGuard } from './current-roles.guard.js';
import { PermissionCheck } from './permission-check.js';
import { TokenCheck } from './token-check.js';
import { VerifiedTokens } from './verified-tokens.js';

/**
 * The guards of all handlers of the application: routes, resolvers, gateways, message handlers. They deny by default. The module
 * checks tokens and issues none, so it needs no secret and creates no key. Needs MetricsModule, RedisClusterModule,
 * NearCacheModule, KeyRingModule (or KeysModule) and SessionReaderModule (or SessionsModule) in the same application.
 */
@Module({
  imports: [ClockModule, DiscoveryModule],
  providers: [
    AccessTokenValidator,
    AccessWatch,
    TokenCheck,
    VerifiedTokens,
    JwtStrategy,
    { provide: JWT_AUTH_GUARD, useClass: JwtAuthGuard },
    { provide: JwtAuthGuard, useExisting: JWT_AUTH_GUARD },
    CurrentRolesGuard,
    PermissionCheck,
    GuardMetrics,
    GlobalGuard,
    GuardedGateways,
    GuardedMessages,
    GuardedStreams,
    GuardedSubscriptions,
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
    { provide: APP_GUARD, useExisting: GlobalGuard },
    { provide: APP_GUARD, useExisting: CurrentRolesGuard },
  ],
  exports: [
    // For RecentLoginGuard, which Nest creates in the module of the route.
    ClockModule,
    AccessTokenValidator,
    AccessWatch,
    GuardMetrics,
    JwtAuthGuard,
    PermissionCheck,
    RoleReader,
    ServiceAccountReader,
  ],
})
export class GuardModule extends ConfigurableModuleClass {}
