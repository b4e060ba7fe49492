/** Hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

/** A node is suspected (`fail?`) before the others agree; it serves nobody either way. */
const UNREACHABLE = ['fail', 'fail?', 'handshake', 'noaddr'];

export type SlotRange = readonly [first: number, last: number];

/** One line of CLUSTER NODES: a node as another one sees it. */
export interface ClusterNode {
  readonly id: string;
  /** The announced host name, or the IP address when the node announces none. */
  readonly host: string;
  readonly ip: string;
  readonly port: number;
  /** Whether it is the node that was asked. */
  readonly isMyself: boolean;
  readonly isMaster: boolean;
  readonly isReplica: boolean;
  /** Of a replica: the id of its master. */
  readonly masterId: string | undefined;
  /** Its id and its address are known: a new node has a provisional id until the handshake is done. */
  readonly isKnown: boolean;
  /** Connected to the node that was asked, and not suspected by it. */
  readonly isUp: boolean;
  /** Most masters agree that it is down. */
  readonly isFailed: boolean;
  /** Slots that are being moved are still at their old node. */
  readonly slots: readonly SlotRange[];
  /** Whether slots move from it or to it. A node tells this of itself only. */
  readonly isMoving: boolean;
}

/**
 * The only parser of this reply.
 *
 * @param reply of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link, slots
 */
export function parseClusterNodes(reply: string): ClusterNode[] {
  return reply.split('\n').filter(Boolean).map(parseLine);
}

export function countSlots(slots: readonly SlotRange[]): number {
  return slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function parseLine(line: string): ClusterNode {
  const [id = '', address = '', flagList = '', masterId = '', , , , link, ...ranges] =
    line.split(' ');
  const flags = flagList.split(',');
  // ip:port@busport, then the host name and further fields.
  const [endpoint = '', hostname = ''] = address.split(',');
  const [, ip = '', port = '0'] = /^(.*):(\d+)(?:@\d+)?$/.exec(endpoint) ?? [];
  return {
    id,
    host: hostname === '' ? ip : hostname,
    ip,
    port: Number(port),
    isMyself: flags.includes('myself'),
    isMaster: flags.includes('master'),
    isReplica: flags.includes('slave'),
    masterId: masterId === '-' ? undefined : masterId,
    isKnown: !flags.includes('handshake') && !flags.includes('noaddr'),
    isUp: link === 'connected' && !UNREACHABLE.some((flag) => flags.includes(flag)),
    isFailed: flags.includes('fail'),
    slots: ranges.filter((range) => !isMove(range)).map(parseRange),
    isMoving: ranges.some(isMove),
  };
}

/** `[slot->-target]` or `[slot-<-source]`. */
function isMove(range: string): boolean {
  return range.startsWith('[');
}

function parseRange(range: string): SlotRange {
  const [first = 0, last = first] = range.split('-').map(Number);
  return [first, last];
}
