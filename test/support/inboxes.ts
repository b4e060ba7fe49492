import calculateSlot from 'cluster-key-slot';

import { KeyBuilder } from '../../src/redis-cluster/index.js';
import type { OwnCluster } from './own-cluster.js';
import { slotOf, type Shards } from './shards.js';

interface Report {
  readonly processId: number;
  readonly inbox: string;
}

/**
 * The slot of the inbox of each process, by process id. A process that has opened another inbox is missing until it has reported
 * it, within ten seconds.
 */
export async function inboxSlots(
  { cluster }: OwnCluster,
  shards: Shards,
  keyPrefix: string,
): Promise<ReadonlyMap<number, number>> {
  const registry = new KeyBuilder(keyPrefix).key(['instances', 'registry'], 'list');
  const master = shards.masterOf(calculateSlot(registry));
  const ids = (await cluster.call(master, 'HKEYS', registry)).split(',').filter(Boolean);
  const channels = await Promise.all(
    shards.ports.map(async (port) => cluster.call(port, 'PUBSUB', 'SHARDCHANNELS')),
  );
  const reports = await Promise.all(
    ids.map(async (id) => {
      const report = await cluster.call(master, 'HGET', registry, id);
      return JSON.parse(report.slice(report.indexOf('{'))) as Report;
    }),
  );
  // An inbox that is in use has a listener.
  const used = reports.filter(({ inbox }) =>
    channels.some((text) => text.includes(`{inbox.${inbox}}`)),
  );
  return new Map(used.map(({ inbox, processId }) => [processId, slotOf(`inbox.${inbox}`)]));
}
