import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { BootstrapAdministrator } from './bootstrap-administrator.js';
import { OwnUserController } from './own-user.controller.js';
import { PasswordHasher } from './password-hasher.js';
import { UserAdministrationController } from './user-administration.controller.js';
import { ConfigurableModuleClass } from './users.module-definition.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { UsersStore } from './users.store.js';

/**
 * Accounts and their credentials. Needs NearCacheModule, RedisClusterModule, RateLimitModule and AuditModule in the same
 * application.
 */
@Module({
  imports: [ClockModule],
  controllers: [UsersController, OwnUserController, UserAdministrationController],
  providers: [UsersService, UsersStore, PasswordHasher, BootstrapAdministrator],
  exports: [UsersService, BootstrapAdministrator],
})
export class UsersModule extends ConfigurableModuleClass {}
