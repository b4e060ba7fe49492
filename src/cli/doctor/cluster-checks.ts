import type { Finding } from './finding.js';

const SLOTS = 16_384;
const FEWEST_MASTERS = 3;
/** Instances follow the cluster's clock past it. */
const CLOCK_TOLERANCE_MS = 1000;

export interface Member {
  readonly id: string;
  /** The announced host name, or the IP address when the node announces none. */
  readonly host: string;
  readonly ip: string;
  readonly port: number;
  readonly isMaster: boolean;
  readonly masterId: string;
  readonly isUp: boolean;
  readonly slots: number;
}

/** @param reply of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link, slots */
export function membersIn(reply: string): Member[] {
  return reply
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , flags = 'noaddr']) => !/noaddr|handshake/.test(flags))
    .map(([id = '', address = '', flags = '', masterId = '', , , , link, ...ranges]) => {
      const [endpoint = '', hostname = ''] = address.split(',');
      const ip = endpoint.replace(/@.*$/, '').replace(/:\d+$/, '');
      return {
        id,
        host: hostname === '' ? ip : hostname,
        ip,
        port: Number(/:(\d+)(?:@|$)/.exec(endpoint)?.[1]),
        isMaster: flags.split(',').includes('master'),
        masterId,
        isUp: link === 'connected' && !flags.includes('fail'),
        slots: ranges.filter((range) => !range.startsWith('[')).reduce(addRange, 0),
      };
    });
}

function addRange(sum: number, range: string): number {
  const [first = 0, last = first] = range.split('-').map(Number);
  return sum + last - first + 1;
}

/** @param replicas how many must confirm a write (REDIS_CONFIRMING_REPLICAS) */
export function checkMembers(members: readonly Member[], replicas: number): Finding[] {
  const masters = members.filter(({ isMaster, slots }) => isMaster && slots > 0);
  const covered = masters.filter(({ isUp }) => isUp).reduce((sum, { slots }) => sum + slots, 0);
  const lacking = masters.filter(
    ({ id }) => members.filter((one) => one.masterId === id && one.isUp).length < replicas,
  );
  return [
    covered === SLOTS
      ? { check: 'slots', level: 'ok', text: 'all are served' }
      : {
          check: 'slots',
          level: 'failed',
          text: `${SLOTS - covered} of ${SLOTS} are served by nobody`,
          remedy: 'Start the nodes that are down',
        },
    masters.length >= FEWEST_MASTERS
      ? { check: 'masters', level: 'ok', text: String(masters.length) }
      : {
          check: 'masters',
          level: 'failed',
          text: String(masters.length),
          remedy: 'Three or more are needed for a failover',
        },
    lacking.length === 0
      ? { check: 'replicas', level: 'ok', text: `${replicas} or more for each master` }
      : {
          check: 'replicas',
          level: 'failed',
          text: `fewer than ${replicas} for ${lacking.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
          remedy: 'Add a replica, or start it: without it nothing is confirmed there',
        },
  ];
}

/** @param offsetMs by how much the node's clock is ahead of the median of all */
export function checkClock(offsetMs: number): Finding {
  return Math.abs(offsetMs) <= CLOCK_TOLERANCE_MS
    ? { check: 'clock', level: 'ok', text: 'within a second of the others' }
    : {
        check: 'clock',
        level: 'warning',
        text: `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`,
        remedy: 'Set it right, and keep it by NTP',
      };
}
