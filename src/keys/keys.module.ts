import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { KeyAdministrationController } from './key-administration.controller.js';
import { KeyAdministration } from './key-administration.js';
import { KeysController } from './keys.controller.js';
import { KEY_RING_OPTIONS, KeyRing } from './read/index.js';
import {
  ConfigurableModuleClass,
  KEYS_OPTIONS,
  KeyRotationSchedule,
  SigningKeys,
} from './write/index.js';

/**
 * The signing keys, the endpoint that publishes their public halves, and the routes that replace them. Creates the first key of the cluster, and replaces keys
 * at the configured age. Needs NearCacheModule, RedisClusterModule, MetricsModule and AuditModule in the same application.
 */
@Module({
  imports: [ClockModule],
  controllers: [KeysController, KeyAdministrationController],
  providers: [
    KeyRing,
    { provide: KEY_RING_OPTIONS, useExisting: KEYS_OPTIONS },
    SigningKeys,
    KeyRotationSchedule,
    KeyAdministration,
  ],
  exports: [KeyRing, SigningKeys],
})
export class KeysModule extends ConfigurableModuleClass {}
