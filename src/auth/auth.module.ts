import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';

import { ClockModule } from '../common/clock/index.js';
import { LOGIN_OPTIONS, LOGIN_PROVIDERS, OwnFactors } from '../credentials/index.js';
import { AccessTokenIssuer } from './access-token-issuer.js';
import { AuthController } from './auth.controller.js';
import { BearerOrBodyGuard } from './bearer-or-body.guard.js';
import { AUTH_OPTIONS, ConfigurableModuleClass } from './auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from './auth.options.js';
import { AuthService } from './auth.service.js';
import { LoginSessions } from './login-sessions.js';
import { OwnFactorsController } from './own-factors.controller.js';
import { OwnPasswordController } from './own-password.controller.js';
import { PasskeyLoginController } from './passkey-login.controller.js';
import { PasswordResetsController } from './password-resets.controller.js';
import { ReauthenticationController } from './reauthentication.controller.js';
import { ReauthenticationService } from './reauthentication.service.js';
import { RefreshService } from './refresh.service.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionTokens } from './session-tokens.js';

/**
 * Login, refresh and logout, and the tokens of a session. Needs GuardModule, UsersModule, SessionsModule, KeysModule,
 * RateLimitModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule, JwtModule.register({})],
  controllers: [
    AuthController,
    OwnPasswordController,
    OwnFactorsController,
    ReauthenticationController,
    PasskeyLoginController,
    PasswordResetsController,
  ],
  providers: [
    AuthService,
    AccessTokenIssuer,
    RefreshService,
    RefreshTokens,
    SessionTokens,
    LoginSessions,
    ReauthenticationService,
    ...LOGIN_PROVIDERS,
    {
      provide: LOGIN_OPTIONS,
      inject: [AUTH_OPTIONS],
      useFactory: ({
        tokenSecret: secret,
        isHttps = AUTH_DEFAULTS.isHttps,
        publicUrl = AUTH_DEFAULTS.publicUrl,
      }: AuthOptions) => ({ secret, isHttps, publicUrl }),
    },
    BearerOrBodyGuard,
  ],
  exports: [AccessTokenIssuer, RefreshService, RefreshTokens, OwnFactors],
})
export class AuthModule extends ConfigurableModuleClass {}
