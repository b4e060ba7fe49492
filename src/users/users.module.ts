import { Module } from '@nestjs/common';

import { Clock, ClockModule } from '../common/clock/index.js';
import {
  CREDENTIAL_ACCOUNTS,
  CREDENTIAL_PROVIDERS,
  FACTOR_NOTICES,
  PasswordChecks,
  PASSWORD_HASHER,
  PASSWORD_OPTIONS,
  SensitiveChanges,
} from '../credentials/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { FactorWriter, OneTimeTokenStore, UserWriter } from '../user-slot/write/index.js';
import { AccountMailComposers } from './account-mails/account-mail-composers.js';
import { AccountNotices } from './account-mails/account-notices.js';
import { EmailVerifications } from './account-mails/email-verifications.js';
import { EmailVerificationsController } from './account-mails/email-verifications.controller.js';
import { OneTimeTokens } from './account-mails/one-time-tokens.js';
import { PasswordResets } from './account-mails/password-resets.js';
import { AccountsInDirectory } from './directory/accounts-in-directory.js';
import { DirectoryCheck } from './directory/directory-check.js';
import { DirectoryIndex } from './directory/directory-index.js';
import { UserExport } from './export/user-export.js';
import { UserImport } from './import/user-import.js';
import { RedisUserDirectory } from './directory/redis-user-directory.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { AccountsKeepingAdministrators } from './administrators/accounts-keeping-administrators.js';
import { AdministratorRegistry } from './administrators/administrator-registry.js';
import { BootstrapAdministrator } from './bootstrap-administrator.js';
import { credentialAccounts } from './credential-accounts.js';
import { ValidatingUserStore } from './store/validating-user-store.js';
import { MirroredAccounts } from './store/mirrored-accounts.js';
import { OwnUserController } from './own-user.controller.js';
import { RedisAccounts } from './store/redis-accounts.js';
import { UserAdministration } from './user-administration.js';
import { UserAdministrationController } from './user-administration.controller.js';
import { UserNames } from './names/user-names.js';
import { USER_STORE, type UserStore } from './store/user-store.js';
import { ConfigurableModuleClass, USERS_OPTIONS } from './users.module-definition.js';
import { ListedUsersController } from './directory/listed-users.controller.js';
import { ListedUsers } from './directory/listed-users.js';
import { LostFactors } from './lost-factors.js';
import { PasswordChanges } from './password-changes.js';
import { ProfileChanges } from './profile-changes.js';
import { AdministrationAuthority } from './administration-authority.js';
import { Registrations } from './registrations.js';
import { SeparateHashes } from './separate-hashes.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/**
 * Users and their passwords. The option `userStore` replaces the store of users, `userDirectory` lists those of
 * another store, `passwordHasher` the hashing of passwords.
 * Needs GuardModule, NearCacheModule, RedisClusterModule, RateLimitModule, MailModule, SessionsModule and AuditModule in the same
 * application.
 */
@Module({
  imports: [ClockModule],
  controllers: [
    UsersController,
    ListedUsersController,
    OwnUserController,
    EmailVerificationsController,
    UserAdministrationController,
  ],
  providers: [
    UsersService,
    Registrations,
    ProfileChanges,
    PasswordChanges,
    PasswordResets,
    EmailVerifications,
    AccountNotices,
    AccountMailComposers,
    OneTimeTokens,
    OneTimeTokenStore,
    AdministrationAuthority,
    UserAdministration,
    LostFactors,
    AdministratorRegistry,
    UserReader,
    UserWriter,
    FactorWriter,
    UserNames,
    RedisAccounts,
    DirectoryIndex,
    RedisUserDirectory,
    DirectoryCheck,
    ListedUsers,
    SeparateHashes,
    UserImport,
    UserExport,
    {
      provide: ACCOUNTS,
      inject: [
        RedisAccounts,
        DirectoryIndex,
        RedisUserDirectory,
        UserReader,
        UserWriter,
        AdministratorRegistry,
        Clock,
        { token: USER_STORE, optional: true },
      ],
      useFactory: (
        redis: RedisAccounts,
        index: DirectoryIndex,
        directory: RedisUserDirectory,
        reader: UserReader,
        writer: UserWriter,
        registry: AdministratorRegistry,
        clock: Clock,
        store?: UserStore,
      ) => {
        const accounts: Accounts = store
          ? new MirroredAccounts(new ValidatingUserStore(store), reader, writer)
          : new AccountsInDirectory(redis, index, directory, writer);
        return new AccountsKeepingAdministrators(accounts, registry, clock);
      },
    },
    { provide: FACTOR_NOTICES, useExisting: AccountNotices },
    { provide: CREDENTIAL_ACCOUNTS, inject: [ACCOUNTS], useFactory: credentialAccounts },
    { provide: PASSWORD_OPTIONS, useExisting: USERS_OPTIONS },
    ...CREDENTIAL_PROVIDERS,
    BootstrapAdministrator,
  ],
  exports: [
    UsersService,
    UserAdministration,
    LostFactors,
    PasswordResets,
    AccountNotices,
    CREDENTIAL_ACCOUNTS,
    FACTOR_NOTICES,
    PasswordChecks,
    SensitiveChanges,
    BootstrapAdministrator,
    SeparateHashes,
    ListedUsers,
    UserImport,
    UserExport,
    PASSWORD_HASHER,
    UserReader,
    FactorWriter,
  ],
})
export class UsersModule extends ConfigurableModuleClass {}
