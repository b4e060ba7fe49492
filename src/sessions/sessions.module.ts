import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { SESSION_LIMITS, SessionReader } from '../user-slot/read/index.js';
import { SessionWriter } from '../user-slot/write/index.js';
import { AllSessions } from './all-sessions.js';
import { OwnSessionsController } from './own-sessions.controller.js';
import { ConfigurableModuleClass, SESSIONS_OPTIONS } from './sessions.module-definition.js';
import type { SessionsOptions } from './sessions.options.js';
import { SessionsService } from './sessions.service.js';
import { UserSessionsController } from './user-sessions.controller.js';

/**
 * The service and the routes of sessions. A login starts a session, the guard checks it, and a logout ends it. Needs
 * UsersModule, NearCacheModule, RedisClusterModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule],
  controllers: [OwnSessionsController, UserSessionsController],
  providers: [
    {
      provide: SessionReader,
      inject: [RedisCluster, NearCache, SESSIONS_OPTIONS],
      useFactory: (redis: RedisCluster, cache: NearCache, options: SessionsOptions) =>
        new SessionReader(redis, cache, { ...SESSION_LIMITS, ...options }),
    },
    {
      provide: SessionWriter,
      inject: [RedisCluster, NearCache, SESSIONS_OPTIONS],
      useFactory: (redis: RedisCluster, cache: NearCache, options: SessionsOptions) =>
        new SessionWriter(redis, cache, { ...SESSION_LIMITS, ...options }),
    },
    SessionsService,
    AllSessions,
  ],
  exports: [SessionReader, SessionsService, AllSessions],
})
export class SessionsModule extends ConfigurableModuleClass {}
