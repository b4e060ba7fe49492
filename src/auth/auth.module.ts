import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';

import { ClockModule } from '../common/clock/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { AccessTokenValidator } from './access-token/access-token-validator.js';
import { VerifiedTokens } from './access-token/verified-tokens.js';
import { AuthController } from './auth.controller.js';
import { ConfigurableModuleClass } from './auth.module-definition.js';
import { AuthService } from './auth.service.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { PermissionsGuard } from './permissions.guard.js';
import { RefreshTokens } from './refresh-tokens.js';

/**
 * Login, refresh, logout, and the guards in front of every route. Needs UsersModule, SessionsModule, KeysModule,
 * RateLimitModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule, DiscoveryModule, JwtModule.register({})],
  controllers: [AuthController],
  providers: [
    AuthService,
    AccessTokenIssuer,
    AccessTokenValidator,
    VerifiedTokens,
    RefreshTokens,
    JwtStrategy,
    JwtAuthGuard,
    PermissionsGuard,
    { provide: APP_GUARD, useExisting: JwtAuthGuard },
    { provide: APP_GUARD, useExisting: PermissionsGuard },
  ],
  exports: [AccessTokenValidator, JwtAuthGuard],
})
export class AuthModule extends ConfigurableModuleClass {}
