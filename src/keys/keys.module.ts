import { Module } from '@nestjs/common';

import { KeysController } from './keys.controller.js';
import { ConfigurableModuleClass } from './keys.module-definition.js';
import { SigningKeys } from './signing-keys.js';

/**
 * The signing keys and their published half. Needs NearCacheModule,
 * RedisClusterModule and AuditModule in the same application.
 */
@Module({ controllers: [KeysController], providers: [SigningKeys], exports: [SigningKeys] })
export class KeysModule extends ConfigurableModuleClass {}
