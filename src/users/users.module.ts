import { Module } from '@nestjs/common';

import { OwnUserController } from './own-user.controller.js';
import { PasswordHasher } from './password-hasher.js';
import { ConfigurableModuleClass } from './users.module-definition.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { UsersStore } from './users.store.js';

/** Accounts and their credentials. */
@Module({
  controllers: [UsersController, OwnUserController],
  providers: [UsersService, UsersStore, PasswordHasher],
  exports: [UsersService],
})
export class UsersModule extends ConfigurableModuleClass {}
