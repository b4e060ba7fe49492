import { Module } from '@nestjs/common';

import { AllSessions } from './all-sessions.js';
import { OwnSessionsController } from './own-sessions.controller.js';
import { ConfigurableModuleClass } from './sessions.module-definition.js';
import { SessionsService } from './sessions.service.js';
import { UserSessionsController } from './user-sessions.controller.js';

/**
 * Sessions: begun by a login, asked by the guard, ended by a logout. Needs UsersModule, NearCacheModule,
 * RedisClusterModule and AuditModule in the same application.
 */
@Module({
  controllers: [OwnSessionsController, UserSessionsController],
  providers: [SessionsService, AllSessions],
  exports: [SessionsService, AllSessions],
})
export class SessionsModule extends ConfigurableModuleClass {}
