import type { Cluster } from 'ioredis';

import { withTimeout } from '../common/deadline/index.js';
import { isServing } from './cluster-view.js';

const REPLY_TIMEOUT_MS = 1000;

export interface ServedSlots {
  /** The ranges of slots with their nodes. The text is the same if the assignment of slots is the same. */
  readonly text: string;
  /** Number of nodes that serve slots, or could after a failover. */
  readonly nodes: number;
}

/** @returns the slots as the first master reports them that belongs to a serving cluster; undefined if there is none */
export async function servedSlots(
  client: Pick<Cluster, 'nodes'>,
  signal: AbortSignal,
): Promise<ServedSlots | undefined> {
  const questions = client.nodes('master').map(async (node) => {
    const answers = Promise.all([node.call('CLUSTER', 'INFO'), node.call('CLUSTER', 'SLOTS')]);
    const [info, slots] = await withTimeout(REPLY_TIMEOUT_MS, answers, { signal });
    if (!isServing(String(info))) {
      throw new Error('the cluster does not serve');
    }
    return parseSlots(slots as SlotsReply);
  });
  return Promise.any(questions).catch(() => undefined);
}

type SlotsReply = readonly (readonly [first: number, last: number, ...nodes: NodeReply[]])[];
type NodeReply = readonly [host: string, port: number, id: string, ...rest: unknown[]];

/** @param reply of CLUSTER SLOTS. Each node lists the ranges, and the replicas of a range, in an order of its own */
export function parseSlots(reply: SlotsReply): ServedSlots {
  const nodes = new Set<string>();
  const ranges = reply.map(([first, last, ...members]) => {
    const [master, ...replicas] = members.map(([host, port, id]) => `${id} ${host}:${port}`);
    members.forEach(([, , id]) => nodes.add(id));
    return [first, last, master, ...replicas.sort()].join(' ');
  });
  return { text: ranges.sort().join('\n'), nodes: nodes.size };
}
