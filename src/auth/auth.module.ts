import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';

import { ClockModule } from '../common/clock/index.js';
import { Tracing } from '../tracing/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { AccessTokenValidator } from './access-token/access-token-validator.js';
import { VerifiedTokens } from './access-token/verified-tokens.js';
import { AuthController } from './auth.controller.js';
import { BearerOrBodyGuard } from './bearer-or-body.guard.js';
import { ConfigurableModuleClass } from './auth.module-definition.js';
import { AuthService } from './auth.service.js';
import { DeviceCookies } from './device-cookies.js';
import { GuardMetrics } from './guard-metrics.js';
import { GuardedStreams } from './guarded-streams.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { OwnPasswordController } from './own-password.controller.js';
import { PermissionsGuard } from './permissions.guard.js';
import { RefreshService } from './refresh.service.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionTokens } from './session-tokens.js';
import { TracedGuard } from './traced.guard.js';

/**
 * Login, refresh, logout, and the guards in front of every route. Needs UsersModule, SessionsModule, KeysModule,
 * RateLimitModule, AuditModule and MetricsModule in the same application.
 */
@Module({
  imports: [ClockModule, DiscoveryModule, JwtModule.register({})],
  controllers: [AuthController, OwnPasswordController],
  providers: [
    AuthService,
    AccessTokenIssuer,
    AccessTokenValidator,
    VerifiedTokens,
    RefreshService,
    RefreshTokens,
    SessionTokens,
    DeviceCookies,
    JwtStrategy,
    JwtAuthGuard,
    BearerOrBodyGuard,
    PermissionsGuard,
    GuardMetrics,
    GuardedStreams,
    {
      provide: APP_GUARD,
      inject: [JwtAuthGuard, { token: Tracing, optional: true }],
      useFactory: (guard: JwtAuthGuard, tracing?: Tracing) =>
        tracing?.spans ? new TracedGuard(guard, tracing.spans) : guard,
    },
    { provide: APP_GUARD, useExisting: PermissionsGuard },
  ],
  exports: [AccessTokenValidator, JwtAuthGuard],
})
export class AuthModule extends ConfigurableModuleClass {}
