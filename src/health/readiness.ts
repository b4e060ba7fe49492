import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import { RedisClusterHealth, type RedisClusterState } from '../redis-cluster/index.js';

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: {
    /** Null when no node answered. */
    readonly redis: RedisClusterState | null;
    readonly hasSigningKeys: boolean;
    /** False while the instance is cut off from the others' changes: it then asks Redis for everything. */
    readonly trustsMemory: boolean;
    readonly isStopping: boolean;
  };
}

/** Whether this instance should be sent requests. */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private isStopping = false;

  constructor(
    private readonly redisHealth: RedisClusterHealth,
    private readonly keys: SigningKeys,
    private readonly cache: NearCache,
  ) {}

  async check(): Promise<ReadinessReport> {
    const redis = await this.redisHealth.check().catch(() => null);
    const hasSigningKeys = this.keys.isLoaded;
    const trustsMemory = this.cache.isTrusted;
    const { isStopping } = this;
    const isReady = Boolean(redis?.isHealthy) && hasSigningKeys && trustsMemory && !isStopping;
    return { isReady, checks: { redis, hasSigningKeys, trustsMemory, isStopping } };
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }
}
