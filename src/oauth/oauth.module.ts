import { Module } from '@nestjs/common';

import { Clock, ClockModule } from '../common/clock/index.js';
import { KeyRing } from '../keys/index.js';
import { ServiceAccountReader } from '../service-accounts/read/index.js';
import { SessionReader } from '../user-slot/read/index.js';
import { ClientAccounts } from './client-accounts.js';
import { ClientAssertions } from './client-assertions.js';
import { ClientAuthentication } from './client-authentication.js';
import { ClientGuard } from './client.guard.js';
import { ClientTokens } from './client-tokens.js';
import { Endpoints } from './endpoints.js';
import { TokenIntrospection } from './introspection.js';
import { IssuedTokens } from './issued-tokens.js';
import { MetadataController } from './metadata.controller.js';
import { OAuthController } from './oauth.controller.js';
import { ConfigurableModuleClass } from './oauth.module-definition.js';
import { TokenRevocation } from './revocation.js';

/**
 * The OAuth 2.0 endpoints for service accounts: tokens, introspection and revocation. Needs ServiceAccountsModule, AuthModule,
 * GuardModule, SessionsModule, KeysModule, RateLimitModule, RedisClusterModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule],
  controllers: [OAuthController, MetadataController],
  providers: [
    ClientAccounts,
    ClientAssertions,
    ClientAuthentication,
    ClientGuard,
    ClientTokens,
    Endpoints,
    {
      // Nest would inject the options of the guard into the class that it extends.
      provide: IssuedTokens,
      inject: [KeyRing, SessionReader, ServiceAccountReader, Clock],
      useFactory: (
        ring: KeyRing,
        sessions: SessionReader,
        accounts: ServiceAccountReader,
        clock: Clock,
      ) => new IssuedTokens(ring, sessions, accounts, clock),
    },
    TokenIntrospection,
    TokenRevocation,
  ],
})
export class OAuthModule extends ConfigurableModuleClass {}
