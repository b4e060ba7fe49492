import { Injectable } from '@nestjs/common';
import calculateSlot from 'cluster-key-slot';

import { Clock } from '../common/clock/index.js';
import { countSlots, SLOTS } from './cluster-nodes.js';
import { parseClusterView, type ClusterView, type NodeInView } from './cluster-view.js';
import { RedisUnavailableError } from './redis-cluster.errors.js';
import { RedisCluster } from './redis-cluster.js';

/** The commands of requests time out as soon, so a slower node cannot serve them. */
const REPLY_TIMEOUT_MS = 1000;

export interface RedisClusterState {
  /** Whether every slot is served and the cluster answers commands. */
  readonly isHealthy: boolean;
  /** Masters that serve slots, according to the cluster. */
  readonly masters: number;
  /** Masters that this instance cannot reach. */
  readonly unreachedMasters: number;
  /** Replicas that are up, according to the cluster. */
  readonly replicas: number;
  /** Shards whose master has no replica that is up. */
  readonly singleCopyShards: readonly SingleCopyShard[];
  /** Slots that no master serves. */
  readonly uncoveredSlots: number;
}

/** A node of the cluster. */
export interface ReportedNode {
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  readonly isReplica: boolean;
  /** The id of the master, if this is a replica. */
  readonly masterId: string | undefined;
  /** According to the cluster. */
  readonly isUp: boolean;
  /** Whether this instance reaches it. */
  readonly isReached: boolean;
  /** First and last slot of each range that it serves. */
  readonly slots: readonly (readonly [first: number, last: number])[];
}

/** A shard whose data are on one node only. */
export interface SingleCopyShard {
  /** `host:port` of the node. */
  readonly master: string;
  /** The number of slots that it serves. */
  readonly slots: number;
  /** ISO 8601. When its last replica was heard of; if the cluster lists none, when this instance first noticed. */
  readonly since: string;
  /** What happens if the node is lost as well, as a sentence. */
  readonly risk: string;
}

/** The state of the cluster, combined from the views of all nodes that this instance reaches. */
export interface RedisClusterReport {
  readonly state: RedisClusterState;
  readonly nodes: readonly ReportedNode[];
  /** Whether this instance reaches every master that is up, and there is at least one. */
  readonly isReached: boolean;
  /** Whether a master serves the key. */
  isServed(key: string): boolean;
}

/** Reads the state of the cluster, and whether this instance reaches all of it. */
@Injectable()
export class RedisClusterHealth {
  /** When a shard with one copy was first seen, by the id of its master. */
  private noticedAt: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly redis: RedisCluster,
    private readonly clock: Clock,
  ) {}

  /** @throws RedisUnavailableError when no node answers */
  async check(): Promise<RedisClusterReport> {
    const [infos, nodes] = await Promise.all([
      this.redis.askEveryNode(['CLUSTER', 'INFO'], REPLY_TIMEOUT_MS),
      this.redis.askEveryNode(['CLUSTER', 'NODES'], REPLY_TIMEOUT_MS),
    ]);
    const views = infos.flatMap((info, index) =>
      typeof info === 'string' && typeof nodes[index] === 'string'
        ? [parseClusterView(info, nodes[index])]
        : [],
    );
    if (views.length === 0) {
      throw new RedisUnavailableError('no node returned the state of the cluster');
    }
    const stillSeen = new Map<string, number>();
    const now = this.clock.now();
    const report = reportOf(views, (masterId) => {
      const noticedAt = this.noticedAt.get(masterId) ?? now;
      stillSeen.set(masterId, noticedAt);
      return noticedAt;
    });
    this.noticedAt = stillSeen;
    return report;
  }
}

/**
 * The view of a single node can be wrong: its own links may be broken, it may be in the minority of a network partition, or
 * it may have missed a failover. So the majority of the serving nodes decides which nodes are up, and the node with the
 * highest epoch decides which master serves which slots.
 *
 * @param noticedAt when a shard with one copy was first seen, in milliseconds since 1970, by the id of its master
 */
export function reportOf(
  views: readonly ClusterView[],
  noticedAt: (masterId: string) => number,
): RedisClusterReport {
  const serving = views.filter(({ isServing }) => isServing);
  const trusted = serving.length > 0 ? serving : views;
  const { nodes } = trusted.reduce((best, view) => (view.epoch > best.epoch ? view : best));
  const up = nodes.filter(({ id }) => isUp(id, trusted));
  const masters = up.filter(({ isReplica, slots }) => !isReplica && slots.length > 0);
  const unreachedMasters = masters.filter(({ id }) => !views.some((view) => view.id === id)).length;
  const lastReplicaAt = (masterId: string): number =>
    Math.max(
      0,
      ...trusted
        .flatMap((view) => view.nodes.filter((node) => node.masterId === masterId))
        .map(({ heardAt }) => heardAt),
    );
  const uncoveredSlots = SLOTS - masters.reduce((sum, master) => sum + countSlots(master.slots), 0);
  return {
    state: {
      isHealthy: serving.length > 0 && uncoveredSlots === 0,
      masters: masters.length,
      unreachedMasters,
      replicas: up.filter(({ isReplica }) => isReplica).length,
      singleCopyShards: masters
        .filter(({ id }) => !up.some(({ masterId }) => masterId === id))
        .map((master) => singleCopyShard(master, lastReplicaAt(master.id) || noticedAt(master.id))),
      uncoveredSlots,
    },
    nodes: nodes.map(({ id, host, port, isReplica, masterId, slots }) => ({
      id,
      address: `${host}:${port}`,
      isReplica,
      masterId,
      isUp: up.some((node) => node.id === id),
      isReached: views.some((view) => view.id === id),
      slots,
    })),
    isReached: serving.length > 0 && masters.length > 0 && unreachedMasters === 0,
    isServed: (key) => {
      const slot = calculateSlot(key);
      return masters.some(({ slots }) =>
        slots.some(([first, last]) => first <= slot && slot <= last),
      );
    },
  };
}

function singleCopyShard({ host, port, slots }: NodeInView, sinceMs: number): SingleCopyShard {
  const master = `${host}:${port}`;
  const count = countSlots(slots);
  const since = new Date(sinceMs).toISOString();
  const risk =
    `If ${master} is lost too, requests of users in ${count} of ${SLOTS} slots get 503, and their changes since ${since} ` +
    'may be lost.';
  return { master, slots: count, since, risk };
}

function isUp(id: string, views: readonly ClusterView[]): boolean {
  const doubts = views.filter(({ nodes }) => !nodes.some((node) => node.id === id && node.isUp));
  return doubts.length <= views.length / 2;
}
