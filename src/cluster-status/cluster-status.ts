import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { Readiness, type ReadinessReport } from '../health/index.js';
import {
  CHANGE_BUCKETS_SECONDS,
  InstanceRegistry,
  NearCache,
  type ListedInstance,
} from '../near-cache/index.js';
import type {
  ClusterResponse,
  InstanceResponse,
  RedisResponse,
} from './dto/cluster.response.dto.js';

const LIST_TIMEOUT_MS = 1000;

/** The state of the cluster and of its instances, as this instance sees it. */
@Injectable()
export class ClusterStatus {
  private pending: Promise<ClusterResponse> | undefined;

  constructor(
    private readonly readiness: Readiness,
    private readonly registry: InstanceRegistry,
    private readonly cache: NearCache,
    private readonly clock: Clock,
  ) {}

  /** Answers also when Redis does not: what is not known is null. Concurrent callers share one reading, as in `Readiness`. */
  async read(): Promise<ClusterResponse> {
    this.pending ??= this.readNow().finally(() => (this.pending = undefined));
    return this.pending;
  }

  private async readNow(): Promise<ClusterResponse> {
    const [report, instances] = await Promise.all([
      this.readiness.check(),
      this.registry.list(Deadline.after(LIST_TIMEOUT_MS)).catch(() => null),
    ]);
    const { status, checks } = report;
    return {
      at: new Date(this.clock.now()).toISOString(),
      status,
      answeredBy: this.cache.holderId,
      redis: redisOf(report, instances),
      evictionPolicy: checks.evictionPolicy,
      hasSigningKeys: checks.hasSigningKeys,
      trustsMemory: checks.trustsMemory,
      instances: instances?.map(instanceOf) ?? null,
      changes: instances && {
        boundsMs: CHANGE_BUCKETS_SECONDS.map((seconds) => seconds * 1000),
        counts: sumOf(instances.map(({ changes }) => changes)),
      },
    };
  }
}

function redisOf(
  { checks, nodes }: ReadinessReport,
  instances: readonly ListedInstance[] | null,
): RedisResponse | null {
  if (!checks.redis) {
    return null;
  }
  const { isHealthy, uncoveredSlots, unreachedMasters, singleCopyShards } = checks.redis;
  return {
    isHealthy,
    uncoveredSlots,
    unreachedMasters,
    nodes: (nodes ?? []).map(({ id, address, isReplica, masterId, isUp, isReached, slots }) => ({
      id,
      address,
      role: isReplica ? 'replica' : 'master',
      ...(masterId === undefined ? {} : { masterId }),
      isUp,
      isReached,
      slots,
      callsPerSecond: instances && callsTo(address, instances),
    })),
    singleCopyShards: singleCopyShards.map(({ master, slots, since }) => ({
      master,
      slots,
      since,
    })),
  };
}

function callsTo(address: string, instances: readonly ListedInstance[]): number {
  return instances.reduce((sum, { callsPerSecond }) => sum + (callsPerSecond[address] ?? 0), 0);
}

function instanceOf(instance: ListedInstance): InstanceResponse {
  const { id, version, host, processId, startedAt, reportedMsAgo, leaseMs } = instance;
  const { service, inbox, isTrusted, entries, entryBytes, processBytes, lookups } = instance;
  return {
    id,
    ...(service === undefined ? {} : { service }),
    version,
    host,
    processId,
    startedAt,
    reportedMsAgo,
    holderId: inbox,
    leaseMs,
    isTrusted,
    entries,
    entryBytes,
    processBytes,
    lookups,
  };
}

function sumOf(lists: readonly (readonly number[])[]): number[] {
  return [...CHANGE_BUCKETS_SECONDS, Infinity].map((_, bucket) =>
    lists.reduce((sum, counts) => sum + (counts[bucket] ?? 0), 0),
  );
}
