import { Global, Module } from '@nestjs/common';

import { KeyRing } from '../keys/read/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { SESSION_LIMITS, SessionReader } from '../user-slot/read/index.js';

/** Creates the reader of a process that changes no session. It takes the idle lifetime of sessions from the cluster. */
export function createSessionReader(
  redis: RedisCluster,
  cache: NearCache,
  ring: KeyRing,
): SessionReader {
  return new SessionReader(redis, cache, {
    get idleTtlSeconds() {
      return ring.sessionIdleTtlSeconds ?? SESSION_LIMITS.idleTtlSeconds;
    },
    mayWriteSessions: false,
  });
}

/**
 * Reads sessions. It is for a process that checks tokens and changes no session. Needs KeyRingModule, NearCacheModule and
 * RedisClusterModule in the same application. SessionsModule includes the reader, so an application with that module does
 * not need this one.
 */
@Global()
@Module({
  providers: [
    {
      provide: SessionReader,
      inject: [RedisCluster, NearCache, KeyRing],
      useFactory: createSessionReader,
    },
  ],
  exports: [SessionReader],
})
export class SessionReaderModule {}
