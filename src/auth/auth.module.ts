import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';

import { ClockModule } from '../common/clock/index.js';
import { AccessTokenIssuer } from './access-token/access-token-issuer.js';
import { AccessTokenValidator } from './access-token/access-token-validator.js';
import { AuthController } from './auth.controller.js';
import { ConfigurableModuleClass } from './auth.module-definition.js';
import { AuthService } from './auth.service.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';

/**
 * Login, logout, and the guard in front of every route. Needs UsersModule, SessionsModule, KeysModule and
 * RateLimitModule in the same application.
 */
@Module({
  imports: [ClockModule, JwtModule.register({})],
  controllers: [AuthController],
  providers: [
    AuthService,
    AccessTokenIssuer,
    AccessTokenValidator,
    JwtStrategy,
    { provide: APP_GUARD, useClass: JwtAuthGuard },
  ],
  exports: [AccessTokenValidator],
})
export class AuthModule extends ConfigurableModuleClass {}
