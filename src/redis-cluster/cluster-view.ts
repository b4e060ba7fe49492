/** A node is suspected (`fail?`) before the others agree; it serves nobody either way. */
const UNREACHABLE = ['fail', 'fail?', 'handshake', 'noaddr'];

export interface NodeInView {
  readonly id: string;
  /** Connected to the node whose view this is, and not suspected by it. */
  readonly isUp: boolean;
  readonly isReplica: boolean;
  readonly slots: readonly SlotRange[];
}

export type SlotRange = readonly [first: number, last: number];

/** The cluster as one of its nodes sees it. */
export interface ClusterView {
  /** Whose view it is. */
  readonly id: string | undefined;
  /** Whether this node takes the cluster for one that serves. In the minority of a split it does not. */
  readonly isServing: boolean;
  /** Grows with every failover: the higher one knows more. */
  readonly epoch: number;
  readonly nodes: readonly NodeInView[];
}

/**
 * @param info the reply of CLUSTER INFO
 * @param nodes the reply of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link, slots
 */
export function parseClusterView(info: string, nodes: string): ClusterView {
  const lines = nodes
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
  return {
    id: lines.find((fields) => flagsIn(fields).includes('myself'))?.[0],
    isServing: info.includes('cluster_state:ok'),
    epoch: Number(/cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? 0),
    nodes: lines.map(parseNode),
  };
}

function parseNode(fields: readonly string[]): NodeInView {
  const flags = flagsIn(fields);
  return {
    id: fields[0] ?? '',
    isUp: fields[7] === 'connected' && !UNREACHABLE.some((flag) => flags.includes(flag)),
    isReplica: flags.includes('slave'),
    slots: fields.slice(8).flatMap(parseRange),
  };
}

function flagsIn(fields: readonly string[]): readonly string[] {
  return (fields[2] ?? '').split(',');
}

function parseRange(range: string): readonly SlotRange[] {
  if (range.startsWith('[')) {
    return []; // being moved: counted where it still is
  }
  const [first, last = first] = range.split('-').map(Number);
  return first === undefined || last === undefined ? [] : [[first, last]];
}
