import { Injectable } from '@nestjs/common';
import calculateSlot from 'cluster-key-slot';

import { countSlots, SLOTS } from './cluster-nodes.js';
import { parseClusterView, type ClusterView } from './cluster-view.js';
import { RedisUnavailableError } from './redis-cluster.errors.js';
import { RedisCluster } from './redis-cluster.js';

/** A node that takes longer is of no use to requests: their commands are given up as soon. */
const REPLY_TIMEOUT_MS = 1000;

export interface RedisClusterState {
  /** Whether every slot is served and the cluster answers commands. */
  readonly isHealthy: boolean;
  /** Masters that serve slots, as the cluster itself says. */
  readonly masters: number;
  /** Those among them that this instance does not reach. */
  readonly unreachedMasters: number;
  /** Replicas that are up, as the cluster itself says. Without one, a master takes no durable writes. */
  readonly replicas: number;
  /** Slots that no master serves. */
  readonly uncoveredSlots: number;
}

/** What the nodes that this instance reaches say of the cluster, put together. */
export interface RedisClusterReport {
  readonly state: RedisClusterState;
  /** Whether this instance reaches everything that any instance could, and that is not nothing. */
  readonly isReached: boolean;
  /** Whether a master serves the key. */
  isServed(key: string): boolean;
}

/** What the cluster says about itself, and whether this instance reaches it. */
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
      throw new RedisUnavailableError('no node tells about the cluster');
    }
    return reportOf(views);
  }
}

/**
 * One node's view is not the cluster's: its links may be broken where all others are well, it may be on the small side of
 * a split, or it slept and has missed a failover. So most of those that serve decide who is up, and the one that knows
 * most says who has which slots.
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
