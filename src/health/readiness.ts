import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { SigningKeys } from '../keys/index.js';
import { RedisClusterHealth, type RedisClusterState } from '../redis-cluster/index.js';

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: {
    /** Null when no node answered. */
    readonly redis: RedisClusterState | null;
    readonly hasSigningKeys: boolean;
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
  ) {}

  async check(): Promise<ReadinessReport> {
    const redis = await this.redisHealth.check().catch(() => null);
    const hasSigningKeys = this.keys.isLoaded;
    const isReady = Boolean(redis?.isHealthy) && hasSigningKeys && !this.isStopping;
    return { isReady, checks: { redis, hasSigningKeys, isStopping: this.isStopping } };
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }
}
