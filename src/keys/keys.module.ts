import { Module } from '@nestjs/common';

import { KeysController } from './keys.controller.js';
import { KEY_RING_OPTIONS, KeyRing } from './read/index.js';
import { ConfigurableModuleClass, KEYS_OPTIONS, SigningKeys } from './write/index.js';

/**
 * The signing keys, and the endpoint that publishes their public halves. Creates the first key of the cluster. Needs
 * NearCacheModule, RedisClusterModule and AuditModule in the same application.
 */
@Module({
  controllers: [KeysController],
  providers: [KeyRing, { provide: KEY_RING_OPTIONS, useExisting: KEYS_OPTIONS }, SigningKeys],
  exports: [KeyRing, SigningKeys],
})
export class KeysModule extends ConfigurableModuleClass {}
