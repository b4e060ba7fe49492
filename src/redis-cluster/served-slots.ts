import type { Cluster } from 'ioredis';

import { withTimeout } from '../common/deadline/index.js';
import { isServing } from './cluster-view.js';
import type { NatMap } from './redis-cluster.options.js';

const REPLY_TIMEOUT_MS = 1000;

/** The nodes of each slot as `host:port`, the master first. */
export type SlotMap = readonly (readonly string[] | undefined)[];

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  /** As `host:port`, the master first. */
  readonly nodes: readonly string[];
}

export interface ServedSlots {
  readonly ranges: readonly SlotRange[];
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
  const ranges = reply.map(([first, last, ...members]) => ({
    first,
    last,
    nodes: members
      // ioredis ignores a node without an address.
      .filter(([host]) => host)
      .map(([host, port]) => {
        const announced = `${host}:${port}`;
        const reached = natMap[announced];
        return reached ? `${reached.host}:${reached.port}` : announced;
      }),
  }));
  return { ranges, nodes: new Set(ranges.flatMap(({ nodes }) => nodes)).size };
}

/** Whether a map agrees with reported ranges. Each node of a cluster lists the replicas of a range in an order of its own. */
export function agrees(map: SlotMap, ranges: readonly SlotRange[]): boolean {
  return ranges.every(({ first, last, nodes }) => {
    const reported = textOf(nodes);
    let compared: readonly string[] | undefined;
    for (let slot = first; slot <= last; slot += 1) {
      const known = map[slot];
      // The slots of a range mostly share one list.
      if (known !== compared || known === undefined) {
        if (textOf(known) !== reported) {
          return false;
        }
        compared = known;
      }
    }
    return true;
  });
}

function textOf([master, ...replicas]: readonly string[] = []): string {
  return [master, ...replicas.sort()].join(' ');
}
