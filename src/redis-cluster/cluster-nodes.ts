/** Hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

/** `fail?`: one node suspects a failure. `fail`: the majority agrees. */
const UNREACHABLE = ['fail', 'fail?', 'handshake', 'noaddr'];

export type SlotRange = readonly [first: number, last: number];

/** One line of CLUSTER NODES: a node as the queried node sees it. */
export interface ClusterNode {
  readonly id: string;
  /** The announced host name, or the IP address when the node announces none. */
  readonly host: string;
  readonly ip: string;
  readonly port: number;
  /** Whether it is the queried node itself. */
  readonly isMyself: boolean;
  readonly isMaster: boolean;
  readonly isReplica: boolean;
  /** The id of the master, if this is a replica. */
  readonly masterId: string | undefined;
  /** When the queried node last heard from it, in milliseconds since 1970. 0: never, or it is the queried node itself. */
  readonly heardAt: number;
  /** Whether its id and address are final. A new node has a provisional id until the handshake is complete. */
  readonly isKnown: boolean;
  /** Whether it is connected to the queried node and not suspected by it. */
  readonly isUp: boolean;
  /**
   * Whether the majority of the masters agrees that it is down, or another node answers at its address. Redis never flags the
   * latter as failed: it is listed until somebody removes it (`CLUSTER FORGET`).
   */
  readonly isFailed: boolean;
  /** A migrating slot belongs to its old node. */
  readonly slots: readonly SlotRange[];
  /** Whether slots migrate from or to it. A node reports this only about itself. */
  readonly isMoving: boolean;
}

/**
 * Parses the reply of CLUSTER NODES. No other code does.
 *
 * @param reply lines of: id, address, flags, master, ping, pong, epoch, link, slots
 */
export function parseClusterNodes(reply: string): ClusterNode[] {
  return reply.split('\n').filter(Boolean).map(parseLine);
}

export function countSlots(slots: readonly SlotRange[]): number {
  return slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function parseLine(line: string): ClusterNode {
  const [id = '', address = '', flagList = '', masterId = '', , heardAt, , link, ...ranges] =
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
    heardAt: Number(heardAt),
    isKnown: !flags.includes('handshake') && !flags.includes('noaddr'),
    isUp: link === 'connected' && !UNREACHABLE.some((flag) => flags.includes(flag)),
    isFailed: flags.includes('fail') || flags.includes('noaddr'),
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
