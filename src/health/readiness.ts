import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import {
  EvictionPolicy,
  RedisClusterHealth,
  type RedisClusterReport,
  type RedisClusterState,
} from '../redis-cluster/index.js';

export interface ReadinessReport {
  /** Degraded: something is missing, but for every instance alike. */
  readonly status: 'ok' | 'degraded' | 'not-ready';
  readonly checks: {
    /** Null when no node answered. */
    readonly redis: RedisClusterState | null;
    /** Null while unknown. Anything but `noeviction` removes users and sessions when the memory of Redis is full. */
    readonly evictionPolicy: string | null;
    readonly hasSigningKeys: boolean;
    /** False while the instance is cut off from the others' changes: it then asks Redis for everything. */
    readonly trustsMemory: boolean;
    readonly isStopping: boolean;
    /** Only while the instance waits for what has to be there before anybody is served. */
    readonly isStarting?: true;
  };
}

/**
 * Whether this instance should be sent requests: whether it can do what another one could. What the cluster cannot do
 * for anybody is no reason to take an instance out, because the same reason would take out all of them.
 */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private isStopping = false;
  private isStarted: () => boolean = () => true;
  private asked: Promise<RedisClusterReport | null> | undefined;

  constructor(
    private readonly redisHealth: RedisClusterHealth,
    private readonly keys: SigningKeys,
    private readonly cache: NearCache,
    private readonly eviction: EvictionPolicy,
  ) {}

  /** @param isStarted whether what has to be there before anybody is served is there */
  waitFor(isStarted: () => boolean): void {
    this.isStarted = isStarted;
  }

  async check(): Promise<ReadinessReport> {
    const report = await this.askRedis();
    const checks = {
      redis: report?.state ?? null,
      evictionPolicy: this.eviction.name,
      hasSigningKeys: this.keys.isLoaded,
      trustsMemory: this.cache.isTrusted,
      isStopping: this.isStopping,
      ...(this.isStarted() ? {} : { isStarting: true as const }),
    };
    if (!report?.isReached || !checks.hasSigningKeys || checks.isStopping || checks.isStarting) {
      return { status: 'not-ready', checks };
    }
    if (!checks.trustsMemory) {
      return { status: this.canNobodyTrust(report) ? 'degraded' : 'not-ready', checks };
    }
    const { isHealthy, masters, replicas } = report.state;
    // Without its replica a shard confirms nothing: changes on it fail, and so does all that memory does not answer.
    return { status: isHealthy && replicas >= masters ? 'ok' : 'degraded', checks };
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }

  /** Anybody may ask how an instance is, as often as they like; the nodes are asked once at a time. */
  private async askRedis(): Promise<RedisClusterReport | null> {
    this.asked ??= this.redisHealth
      .check()
      .catch(() => null)
      .finally(() => (this.asked = undefined));
    return this.asked;
  }

  private canNobodyTrust(report: RedisClusterReport): boolean {
    return this.cache.isHeldUp || !report.isServed(this.cache.logKey);
  }
}
