import { Module } from '@nestjs/common';

import { ClockModule } from '../../common/clock/index.js';
import { configurableModule } from '../../common/configurable-module/index.js';
import { NearCache } from '../../near-cache/index.js';
import { RedisCluster } from '../../redis-cluster/index.js';
import { SESSION_LIMITS, type SessionLimits } from '../session-limits.js';
import { SessionReader } from './session.reader.js';

/** Every process of a cluster needs the same values. Defaults: see `SessionLimits`. */
export type SessionReaderOptions = Partial<Pick<SessionLimits, 'idleTtlSeconds'>>;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SESSION_READER_OPTIONS } =
  configurableModule<SessionReaderOptions>('SessionReader');

/** Creates the reader of a process that changes no session. */
export function createSessionReader(
  redis: RedisCluster,
  cache: NearCache,
  options: SessionReaderOptions,
): SessionReader {
  return new SessionReader(redis, cache, {
    ...SESSION_LIMITS,
    ...options,
    mayWriteSessions: false,
  });
}

/**
 * Reads sessions. It is for a process that checks tokens and changes no session. Needs NearCacheModule and
 * RedisClusterModule in the same application. SessionsModule includes the reader, so an application with that module does
 * not need this one.
 */
@Module({
  imports: [ClockModule],
  providers: [
    {
      provide: SessionReader,
      inject: [RedisCluster, NearCache, SESSION_READER_OPTIONS],
      useFactory: createSessionReader,
    },
  ],
  exports: [SessionReader],
})
export class SessionReaderModule extends ConfigurableModuleClass {}
