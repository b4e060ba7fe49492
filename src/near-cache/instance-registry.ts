import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { KEYSLOT_VERSION } from '../common/version/index.js';
import { MetricsRegistry } from '../metrics/registry/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { ChangeFeed } from './change-feed.js';
import { parseReport, type InstanceReport, type ListedInstance } from './instance-report.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { NearCacheMetrics } from './near-cache.metrics.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import type { NearCacheOptions } from './near-cache.options.js';

const REPORT_INTERVAL_MS = 10_000;
const INSTANCE_TTL_MS = 60_000;
/** More than a cluster has. */
const MAX_LISTED = 1000;

const load = LuaScript.loaderFor(import.meta.url);
const reportInstance = load('report-instance', (reply) => reply as [number, number]);
const listInstances = load('list-instances', parseList);

/** The list of running instances, for operators. No decision of the protocol depends on it. */
@Injectable()
export class InstanceRegistry implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** The id of this process. It stays the same when the id of the inbox changes. */
  private readonly id = randomUUID();
  private readonly abort = new AbortController();
  private readonly startedAt = new Date();
  /** Number of instances that have reported within the last minute; undefined while unknown. */
  private count: number | undefined;
  private calls: { readonly at: number; readonly byNode: ReadonlyMap<string, number> };

  constructor(
    private readonly redis: RedisCluster,
    private readonly membership: Membership,
    private readonly clock: Clock,
    registry: MetricsRegistry,
    private readonly store: LocalStore,
    private readonly metrics: NearCacheMetrics,
    private readonly feed: ChangeFeed,
    @Inject(NEAR_CACHE_OPTIONS) private readonly options: NearCacheOptions,
  ) {
    this.calls = this.callsSoFar();
    registry.gauges(
      'keyslot_instances',
      'Instances of the cluster that have reported within the last minute. Absent while unknown.',
      () => (this.count === undefined ? [] : [[{}, this.count]]),
    );
  }

  /** @returns the instances and services that have reported within the last minute. @throws RedisUnavailableError */
  async list(deadline: Deadline): Promise<readonly ListedInstance[]> {
    const keys = [this.key('list'), this.key('reports')];
    return this.redis.run(listInstances, keys, [INSTANCE_TTL_MS, MAX_LISTED], deadline);
  }

  onApplicationBootstrap(): void {
    void this.keepReporting();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.abort.abort();
    await this.report('');
  }

  private async keepReporting(): Promise<void> {
    const { signal } = this.abort;
    await this.membership.untilTrusted();
    while (!signal.aborted) {
      await this.report(JSON.stringify(this.describe()));
      await this.clock.delay(REPORT_INTERVAL_MS, { signal, ref: false }).catch(() => undefined);
    }
  }

  private describe(): InstanceReport {
    const { service } = this.options;
    const { hits, misses, untrusted, recent } = this.metrics;
    return {
      ...(service === undefined ? {} : { service }),
      version: KEYSLOT_VERSION,
      host: hostname(),
      processId: process.pid,
      startedAt: this.startedAt.toISOString(),
      inbox: this.membership.holder.instance,
      leaseMs: this.membership.holder.leaseMs,
      isTrusted: this.membership.isTrusted,
      entries: this.store.entryCount,
      entryBytes: this.store.bytes,
      processBytes: process.memoryUsage.rss(),
      lookups: { hit: hits, miss: misses, untrusted },
      callsPerSecond: this.callsPerSecond(),
      changes: recent.countsAt(this.clock.monotonic()),
    };
  }

  private callsPerSecond(): Record<string, number> {
    const former = this.calls;
    this.calls = this.callsSoFar();
    const seconds = Math.max(1, this.calls.at - former.at) / 1000;
    const rate = (node: string, calls: number): number =>
      Math.round(((calls - (former.byNode.get(node) ?? 0)) / seconds) * 10) / 10;
    return Object.fromEntries(
      Array.from(this.calls.byNode, ([node, calls]) => [node, rate(node, calls)]),
    );
  }

  private callsSoFar(): InstanceRegistry['calls'] {
    return { at: this.clock.monotonic(), byNode: this.redis.calls.countsByNode };
  }

  private async report(description: string): Promise<void> {
    const keys = [this.key('list'), this.key('reports'), this.feed.watchedKey];
    const reply = await this.redis
      .run(reportInstance, keys, [this.id, description, INSTANCE_TTL_MS], Deadline.none)
      .catch(() => undefined);
    this.count = reply?.[0];
    this.feed.isWatchedElsewhere = reply?.[1] === 1;
  }

  private key(part: string): string {
    return this.redis.keys.key(['instances', 'registry'], part);
  }
}

function parseList(reply: unknown): ListedInstance[] {
  const items = reply as (string | number)[];
  return Array.from({ length: Math.floor(items.length / 3) }, (_, index) => index * 3).flatMap(
    (at) => {
      const report = parseReport(String(items[at + 2]));
      return report
        ? [{ ...report, id: String(items[at]), reportedMsAgo: Number(items[at + 1]) }]
        : [];
    },
  );
}
