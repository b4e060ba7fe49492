import { Module } from '@nestjs/common';

import { Clock, ClockModule } from '../common/clock/index.js';
import {
  Argon2PasswordHasher,
  CREDENTIAL_ACCOUNTS,
  Credentials,
  HashingQueue,
  NewPasswords,
  PASSWORD_HASHER,
  PASSWORD_OPTIONS,
  Reauthentication,
  type PasswordOptions,
} from '../credentials/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { UserWriter } from '../user-slot/write/index.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { AccountsKeepingAdministrators } from './administrators/accounts-keeping-administrators.js';
import { AdministratorRegistry } from './administrators/administrator-registry.js';
import { BootstrapAdministrator } from './bootstrap-administrator.js';
import { credentialAccounts } from './credential-accounts.js';
import { GuardedUserStore } from './store/guarded-user-store.js';
import { MirroredUserStore } from './store/mirrored-user-store.js';
import { OwnUserController } from './own-user.controller.js';
import { RedisUserStore } from './store/redis-user-store.js';
import { UserAdministration } from './user-administration.js';
import { UserAdministrationController } from './user-administration.controller.js';
import { UserNames } from './store/user-names.js';
import { USER_STORE, type UserStore } from './store/user-store.js';
import { ConfigurableModuleClass, USERS_OPTIONS } from './users.module-definition.js';
import { Registrations } from './registrations.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/**
 * Accounts, and the services of their credentials. `userStore` replaces where users are stored, `passwordHasher` how their
 * passwords are hashed. Needs GuardModule, NearCacheModule, RedisClusterModule, RateLimitModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule],
  controllers: [UsersController, OwnUserController, UserAdministrationController],
  providers: [
    UsersService,
    Registrations,
    UserAdministration,
    AdministratorRegistry,
    UserReader,
    UserWriter,
    UserNames,
    RedisUserStore,
    {
      provide: ACCOUNTS,
      inject: [
        RedisUserStore,
        UserReader,
        UserWriter,
        AdministratorRegistry,
        Clock,
        { token: USER_STORE, optional: true },
      ],
      useFactory: (
        redis: RedisUserStore,
        reader: UserReader,
        writer: UserWriter,
        registry: AdministratorRegistry,
        clock: Clock,
        store?: UserStore,
      ) => {
        const accounts: Accounts = store
          ? new MirroredUserStore(new GuardedUserStore(store), reader, writer)
          : redis;
        return new AccountsKeepingAdministrators(accounts, registry, clock);
      },
    },
    { provide: CREDENTIAL_ACCOUNTS, inject: [ACCOUNTS], useFactory: credentialAccounts },
    { provide: PASSWORD_OPTIONS, useExisting: USERS_OPTIONS },
    {
      provide: PASSWORD_HASHER,
      inject: [PASSWORD_OPTIONS],
      useFactory: ({ hashing }: PasswordOptions) => new Argon2PasswordHasher(hashing),
    },
    HashingQueue,
    NewPasswords,
    Credentials,
    Reauthentication,
    BootstrapAdministrator,
  ],
  exports: [
    UsersService,
    UserAdministration,
    CREDENTIAL_ACCOUNTS,
    Credentials,
    BootstrapAdministrator,
    PASSWORD_HASHER,
  ],
})
export class UsersModule extends ConfigurableModuleClass {}
