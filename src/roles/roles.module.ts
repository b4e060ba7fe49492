import { Global, Module } from '@nestjs/common';

import { RoleAdministration } from './role-administration.js';
import { OwnPermissionsController } from './own-permissions.controller.js';
import { RolesController } from './roles.controller.js';
import { RoleWriter } from './write/index.js';

/**
 * The routes that change the roles of the cluster. Needs GuardModule, NearCacheModule, RedisClusterModule and AuditModule in
 * the same application.
 */
@Global()
@Module({
  controllers: [RolesController, OwnPermissionsController],
  providers: [RoleAdministration, RoleWriter],
  exports: [RoleAdministration],
})
export class RolesModule {}
