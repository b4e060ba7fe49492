import { Module } from '@nestjs/common';

import { KeyRing } from './key-ring.js';
import { ConfigurableModuleClass } from './key-ring.module-definition.js';

/**
 * The public keys of the cluster, for a process that checks tokens and issues none. It needs no secret and creates no key.
 * Needs NearCacheModule and RedisClusterModule in the same application. In an application with KeysModule it is not needed:
 * that module has the ring too.
 */
@Module({ providers: [KeyRing], exports: [KeyRing] })
export class KeyRingModule extends ConfigurableModuleClass {}
