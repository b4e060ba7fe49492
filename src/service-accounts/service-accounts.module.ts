import { Module } from '@nestjs/common';

import { ServiceAccountAdministration } from './service-account-administration.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { ConfigurableModuleClass } from './service-accounts.module-definition.js';
import { ServiceAccountStore } from './write/index.js';

/**
 * The routes that administer service accounts. Needs GuardModule, NearCacheModule, RedisClusterModule and AuditModule in the same
 * application.
 */
@Module({
  controllers: [ServiceAccountsController],
  providers: [ServiceAccountAdministration, ServiceAccountStore],
  exports: [ServiceAccountAdministration, ServiceAccountStore],
})
export class ServiceAccountsModule extends ConfigurableModuleClass {}
