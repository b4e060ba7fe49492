import { Injectable } from '@nestjs/common';

import { RedisCluster } from './redis-cluster.js';

const SLOTS = 16_384;
/** A node is suspected (`fail?`) before the others agree; it serves nobody either way. */
const UNREACHABLE = ['fail', 'fail?', 'handshake', 'noaddr'];

export interface RedisClusterState {
  /** Whether every slot is served and the cluster answers commands. */
  readonly isHealthy: boolean;
  /** Reachable masters that serve slots. */
  readonly masters: number;
  /** Reachable replicas. Without one, a master takes no durable writes. */
  readonly replicas: number;
  /** Slots that no reachable master serves. */
  readonly uncoveredSlots: number;
}

/** What the cluster says about itself. */
@Injectable()
export class RedisClusterHealth {
  constructor(private readonly redis: RedisCluster) {}

  /** @throws RedisUnavailableError when no node answers */
  async check(): Promise<RedisClusterState> {
    const [info, nodes] = await Promise.all([
      this.redis.askAnyNode('CLUSTER', 'INFO'),
      this.redis.askAnyNode('CLUSTER', 'NODES'),
    ]);
    return readClusterState(String(info), String(nodes));
  }
}

/**
 * @param info the reply of CLUSTER INFO
 * @param nodes the reply of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link, slots
 */
export function readClusterState(info: string, nodes: string): RedisClusterState {
  let masters = 0;
  let replicas = 0;
  let covered = 0;
  for (const line of nodes.split('\n').filter(Boolean)) {
    const fields = line.split(' ');
    const flags = (fields[2] ?? '').split(',');
    if (fields[7] !== 'connected' || UNREACHABLE.some((flag) => flags.includes(flag))) {
      continue;
    }
    if (flags.includes('slave')) {
      replicas += 1;
      continue;
    }
    const slots = fields.slice(8).reduce((sum, range) => sum + slotsIn(range), 0);
    masters += slots > 0 ? 1 : 0;
    covered += slots;
  }
  const uncoveredSlots = SLOTS - covered;
  const isHealthy = info.includes('cluster_state:ok') && uncoveredSlots === 0;
  return { isHealthy, masters, replicas, uncoveredSlots };
}

function slotsIn(range: string): number {
  if (range.startsWith('[')) {
    return 0; // being moved: counted where it still is
  }
  const [first, last = first] = range.split('-').map(Number);
  return first === undefined || last === undefined ? 0 : last - first + 1;
}
