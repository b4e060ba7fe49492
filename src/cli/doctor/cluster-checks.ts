import { countSlots, SLOTS, type ClusterNode } from '../../redis-cluster/index.js';
import type { Finding } from './finding.js';

const MIN_MASTERS = 3;
/** Beyond it, instances follow the clock of the cluster. */
const CLOCK_TOLERANCE_MS = 1000;

/** @param requireReplica whether each write needs the confirmation of a replica (REDIS_REQUIRE_REPLICA) */
export function checkMembers(members: readonly ClusterNode[], requireReplica: boolean): Finding[] {
  const masters = members.filter(({ isMaster, slots }) => isMaster && slots.length > 0);
  const served = masters.filter(({ isUp }) => isUp).flatMap(({ slots }) => slots);
  const covered = countSlots(served);
  const alone = masters.filter(({ id }) => !members.some((one) => one.masterId === id && one.isUp));
  return [
    covered === SLOTS
      ? { check: 'slots', level: 'ok', text: 'all slots are served' }
      : {
          check: 'slots',
          level: 'failed',
          text: `${SLOTS - covered} of ${SLOTS} are not served by any node`,
          remedy: 'Start the nodes that are down',
        },
    masters.length >= MIN_MASTERS
      ? { check: 'masters', level: 'ok', text: String(masters.length) }
      : {
          check: 'masters',
          level: 'failed',
          text: String(masters.length),
          remedy: 'A failover requires at least three masters',
        },
    alone.length === 0
      ? { check: 'replicas', level: 'ok', text: 'one or more for each master' }
      : {
          check: 'replicas',
          level: requireReplica ? 'failed' : 'warning',
          text: `one copy: ${alone.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
          remedy: requireReplica
            ? 'Start a replica, or add one. Until then, the shard accepts no writes (REDIS_REQUIRE_REPLICA)'
            : 'Start a replica, or add one. Until it has the copy, the loss of this master can lose acknowledged changes',
        },
  ];
}

/** @param offsetMs how far the clock of the node is ahead of the median */
export function checkClock(offsetMs: number): Finding {
  return Math.abs(offsetMs) <= CLOCK_TOLERANCE_MS
    ? { check: 'clock', level: 'ok', text: 'within a second of the others' }
    : {
        check: 'clock',
        level: 'warning',
        text: `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`,
        remedy: 'Correct the clock, and synchronize it by NTP',
      };
}
