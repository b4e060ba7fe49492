import { Injectable } from '@nestjs/common';
import calculateSlot from 'cluster-key-slot';

import { countSlots, SLOTS } from './cluster-nodes.js';
import { parseClusterView, type ClusterView } from './cluster-view.js';
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
  /** Replicas that are up, according to the cluster. A master without a replica confirms no durable writes. */
  readonly replicas: number;
  /** Slots that no master serves. */
  readonly uncoveredSlots: number;
}

/** The state of the cluster, combined from the views of all nodes that this instance reaches. */
export interface RedisClusterReport {
  readonly state: RedisClusterState;
  /** Whether this instance reaches every master that is up, and there is at least one. */
  readonly isReached: boolean;
  /** Whether a master serves the key. */
  isServed(key: string): boolean;
}

/** Reads the state of the cluster, and whether this instance reaches all of it. */
@Injectable()
export class RedisClusterHealth {
  constructor(private readonly redis: RedisCluster) {}

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
    return reportOf(views);
  }
}

/**
 * The view of a single node can be wrong: its own links may be broken, it may be in the minority of a network partition, or
 * it may have missed a failover. So the majority of the serving nodes decides which nodes are up, and the node with the
 * highest epoch decides which master serves which slots.
 */
export function reportOf(views: readonly ClusterView[]): RedisClusterReport {
  const serving = views.filter(({ isServing }) => isServing);
  const trusted = serving.length > 0 ? serving : views;
  const { nodes } = trusted.reduce((best, view) => (view.epoch > best.epoch ? view : best));
  const up = nodes.filter(({ id }) => isUp(id, trusted));
  const masters = up.filter(({ isReplica, slots }) => !isReplica && slots.length > 0);
  const unreachedMasters = masters.filter(({ id }) => !views.some((view) => view.id === id)).length;
  const uncoveredSlots = SLOTS - masters.reduce((sum, master) => sum + countSlots(master.slots), 0);
  return {
    state: {
      isHealthy: serving.length > 0 && uncoveredSlots === 0,
      masters: masters.length,
      unreachedMasters,
      replicas: up.filter(({ isReplica }) => isReplica).length,
      uncoveredSlots,
    },
    isReached: serving.length > 0 && masters.length > 0 && unreachedMasters === 0,
    isServed: (key) => {
      const slot = calculateSlot(key);
      return masters.some(({ slots }) =>
        slots.some(([first, last]) => first <= slot && slot <= last),
      );
    },
  };
}

function isUp(id: string, views: readonly ClusterView[]): boolean {
  const doubts = views.filter(({ nodes }) => !nodes.some((node) => node.id === id && node.isUp));
  return doubts.length <= views.length / 2;
}
