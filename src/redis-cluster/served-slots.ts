import type { Cluster } from 'ioredis';

import { withTimeout } from '../common/deadline/index.js';
import { SLOTS } from './cluster-nodes.js';
import { isServing } from './cluster-view.js';
import type { NatMap } from './redis-cluster.options.js';

const REPLY_TIMEOUT_MS = 1000;

/** The nodes of each slot as `host:port`, the master first. */
export type SlotMap = readonly (readonly string[] | undefined)[];

export interface ServedSlots {
  readonly map: SlotMap;
  /** Number of nodes that serve slots, or could after a failover. */
  readonly nodes: number;
}

/** @returns the slots as the first master reports them that belongs to a serving cluster; undefined if there is none */
export async function servedSlots(
  client: Pick<Cluster, 'nodes'>,
  natMap: NatMap | undefined,
  signal: AbortSignal,
): Promise<ServedSlots | undefined> {
  const questions = client.nodes('master').map(async (node) => {
    const answers = Promise.all([node.call('CLUSTER', 'INFO'), node.call('CLUSTER', 'SLOTS')]);
    const [info, slots] = await withTimeout(REPLY_TIMEOUT_MS, answers, { signal });
    if (!isServing(String(info))) {
      throw new Error('the cluster does not serve');
    }
    return parseSlots(slots as SlotsReply, natMap);
  });
  return Promise.any(questions).catch(() => undefined);
}

type SlotsReply = readonly (readonly [first: number, last: number, ...nodes: NodeReply[]])[];
type NodeReply = readonly [host: string | null, port: number, ...rest: unknown[]];

/** @param reply of CLUSTER SLOTS */
export function parseSlots(reply: SlotsReply, natMap: NatMap = {}): ServedSlots {
  const map: (readonly string[] | undefined)[] = [];
  const nodes = new Set<string>();
  for (const [first, last, ...members] of reply) {
    const addresses = members
      // ioredis ignores a node without an address.
      .filter(([host]) => host)
      .map(([host, port]) => {
        const announced = `${host}:${port}`;
        const reached = natMap[announced];
        return reached ? `${reached.host}:${reached.port}` : announced;
      });
    addresses.forEach((address) => nodes.add(address));
    for (let slot = first; slot <= last; slot += 1) {
      map[slot] = addresses;
    }
  }
  return { map, nodes: nodes.size };
}

/** Whether two maps are the same. Each node of a cluster lists the replicas of a range in an order of its own. */
export function areSameSlots(one: SlotMap, other: SlotMap): boolean {
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const [a, b] = [one[slot], other[slot]];
    // The slots of a range mostly share one list.
    const isCompared = slot > 0 && a === one[slot - 1] && b === other[slot - 1];
    if (!isCompared && textOf(a) !== textOf(b)) {
      return false;
    }
  }
  return true;
}

function textOf([master, ...replicas]: readonly string[] = []): string {
  return [master, ...replicas.sort()].join(' ');
}
