import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { AllSessions } from './all-sessions.js';
import { OwnSessionsController } from './own-sessions.controller.js';
import { SessionWatch } from './session-watch.js';
import { ConfigurableModuleClass } from './sessions.module-definition.js';
import { SessionsService } from './sessions.service.js';
import { UserSessionsController } from './user-sessions.controller.js';

/**
 * Sessions: begun by a login, asked by the guard, ended by a logout. Needs UsersModule, NearCacheModule,
 * RedisClusterModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule],
  controllers: [OwnSessionsController, UserSessionsController],
  providers: [SessionsService, AllSessions, SessionWatch],
  exports: [SessionsService, AllSessions, SessionWatch],
})
export class SessionsModule extends ConfigurableModuleClass {}
