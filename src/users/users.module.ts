import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';
import { BootstrapAdministrator } from './bootstrap-administrator.js';
import { HashingQueue } from './hashing-queue.js';
import { OwnUserController } from './own-user.controller.js';
import { PASSWORD_HASHER } from './password-hasher.js';
import { UserAdministrationController } from './user-administration.controller.js';
import { ConfigurableModuleClass, USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { UsersStore } from './users.store.js';

/**
 * Accounts and their credentials. `passwordHasher` replaces how passwords are hashed. Needs NearCacheModule, RedisClusterModule, RateLimitModule and AuditModule in the same
 * application.
 */
@Module({
  imports: [ClockModule],
  controllers: [UsersController, OwnUserController, UserAdministrationController],
  providers: [
    UsersService,
    UsersStore,
    HashingQueue,
    {
      provide: PASSWORD_HASHER,
      inject: [USERS_OPTIONS],
      useFactory: ({ hashing }: UsersOptions) => new Argon2PasswordHasher(hashing),
    },
    BootstrapAdministrator,
  ],
  exports: [UsersService, BootstrapAdministrator, PASSWORD_HASHER],
})
export class UsersModule extends ConfigurableModuleClass {}
