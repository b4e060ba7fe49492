import { Module } from '@nestjs/common';

import { ClockModule } from '../../common/clock/index.js';
import { KeyRing } from './key-ring.js';
import { ConfigurableModuleClass } from './key-ring.module-definition.js';

/**
 * The public keys of the cluster, for a process that checks tokens and issues none. It needs no secret and creates no key.
 * Needs NearCacheModule and RedisClusterModule in the same application. KeysModule includes the key ring, so an application
 * with that module does not need this one.
 */
@Module({ imports: [ClockModule], providers: [KeyRing], exports: [KeyRing] })
export class KeyRingModule extends ConfigurableModuleClass {}
