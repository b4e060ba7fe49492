import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import {
  EvictionPolicy,
  RedisClusterHealth,
  type RedisClusterReport,
  type RedisClusterState,
  type ReportedNode,
} from '../redis-cluster/index.js';

export interface ReadinessReport {
  /** Degraded: a part of the system is down for all instances. */
  readonly status: 'ok' | 'degraded' | 'not-ready';
  readonly checks: {
    /** Null when no node replied. */
    readonly redis: RedisClusterState | null;
    /** Null while unknown. Any policy except `noeviction` removes users and sessions when the memory of Redis is full. */
    readonly evictionPolicy: string | null;
    readonly hasSigningKeys: boolean;
    /** False while the instance has no lease. It then reads everything from Redis. */
    readonly trustsMemory: boolean;
    readonly isStopping: boolean;
    /** Present until the instance has everything that it needs to serve requests. */
    readonly isStarting?: true;
  };
  /** The nodes of the cluster. Null when none replied. */
  readonly nodes: readonly ReportedNode[] | null;
}

/**
 * Whether this instance should receive requests. A failure of the cluster that affects all instances does not make an
 * instance unready, because a load balancer would then remove all of them.
 */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private isStopping = false;
  private isStarted: () => boolean = () => true;
  private pendingCheck: Promise<RedisClusterReport | null> | undefined;

  constructor(
    private readonly redisHealth: RedisClusterHealth,
    private readonly keys: SigningKeys,
    private readonly cache: NearCache,
    private readonly eviction: EvictionPolicy,
  ) {}

  /** @param isStarted the instance is not ready until it returns true */
  waitFor(isStarted: () => boolean): void {
    this.isStarted = isStarted;
  }

  async check(): Promise<ReadinessReport> {
    const report = await this.askRedis();
    const nodes = report?.nodes ?? null;
    const checks = {
      redis: report?.state ?? null,
      evictionPolicy: this.eviction.name,
      hasSigningKeys: this.keys.isLoaded,
      trustsMemory: this.cache.isTrusted,
      isStopping: this.isStopping,
      ...(this.isStarted() ? {} : { isStarting: true as const }),
    };
    if (!report?.isReached || !checks.hasSigningKeys || checks.isStopping || checks.isStarting) {
      return { status: 'not-ready', checks, nodes };
    }
    if (!checks.trustsMemory) {
      return {
        status: this.isUntrustedEverywhere(report) ? 'degraded' : 'not-ready',
        checks,
        nodes,
      };
    }
    const { isHealthy, singleCopyShards } = report.state;
    return {
      status: isHealthy && singleCopyShards.length === 0 ? 'ok' : 'degraded',
      checks,
      nodes,
    };
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
  }

  /** Concurrent callers share one check, so that public health routes cannot flood the nodes. */
  private async askRedis(): Promise<RedisClusterReport | null> {
    this.pendingCheck ??= this.redisHealth
      .check()
      .catch(() => null)
      .finally(() => (this.pendingCheck = undefined));
    return this.pendingCheck;
  }

  private isUntrustedEverywhere(report: RedisClusterReport): boolean {
    return this.cache.isHeldUp || !report.isServed(this.cache.leaseKey);
  }
}
