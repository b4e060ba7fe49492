import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';

import { ClockModule } from '../common/clock/index.js';
import { AccessTokenIssuer } from './access-token-issuer.js';
import { AuthController } from './auth.controller.js';
import { BearerOrBodyGuard } from './bearer-or-body.guard.js';
import { ConfigurableModuleClass } from './auth.module-definition.js';
import { AuthService } from './auth.service.js';
import { DeviceCookies } from './device-cookies.js';
import { OwnPasswordController } from './own-password.controller.js';
import { RefreshService } from './refresh.service.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionTokens } from './session-tokens.js';

/**
 * Login, refresh, logout, and the tokens they issue. Needs GuardModule, UsersModule, SessionsModule, KeysModule,
 * RateLimitModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule, JwtModule.register({})],
  controllers: [AuthController, OwnPasswordController],
  providers: [
    AuthService,
    AccessTokenIssuer,
    RefreshService,
    RefreshTokens,
    SessionTokens,
    DeviceCookies,
    BearerOrBodyGuard,
  ],
})
export class AuthModule extends ConfigurableModuleClass {}
