import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { countSlots, parseClusterNodes, SLOTS } from '../../src/redis-cluster/index.js';
import { eventually } from '../support/own-cluster.js';

const CONVERGENCE_TIMEOUT_MS = 30_000;

/** Assigns every slot of a cluster without keys to its first master. The other nodes keep running without slots. */
export async function assignSlotsToFirstMaster(cluster: EmbeddedCluster): Promise<void> {
  const ports = cluster.addresses.map(({ port }) => port);
  const [first, ...others] = ports.slice(0, ports.length / 2);
  if (first === undefined) {
    throw new Error('the cluster has no nodes');
  }
  for (const [index, port] of others.entries()) {
    const [begin, end] = [index + 1, index + 2].map((nth) =>
      Math.floor((nth * SLOTS) / (others.length + 1)),
    ) as [number, number];
    await cluster.call(port, 'CLUSTER', 'DELSLOTSRANGE', begin, end - 1);
    await cluster.call(first, 'CLUSTER', 'DELSLOTSRANGE', begin, end - 1);
    await cluster.call(first, 'CLUSTER', 'ADDSLOTSRANGE', begin, end - 1);
  }
  // A higher epoch than the others: it overrides the configuration that other nodes still have.
  await cluster.call(first, 'CLUSTER', 'BUMPEPOCH');
  await eventually('every node knows the only master', CONVERGENCE_TIMEOUT_MS, async () => {
    const views = await Promise.all(
      ports.map(async (port) => cluster.call(port, 'CLUSTER', 'NODES')),
    );
    return views.every((view) =>
      parseClusterNodes(view).some(
        ({ port, slots }) => port === first && countSlots(slots) === SLOTS,
      ),
    );
  });
}

/** Ends every replica, and returns when the masters agree that it has failed. */
export async function loseReplicas(cluster: EmbeddedCluster): Promise<void> {
  const ports = cluster.addresses.map(({ port }) => port);
  const nodes = parseClusterNodes(await cluster.call(ports[0]!, 'CLUSTER', 'NODES'));
  const masters = nodes.filter(({ isMaster }) => isMaster).map(({ port }) => port);
  for (const { port } of nodes.filter(({ isReplica }) => isReplica)) {
    process.kill(cluster.pids.get(port)!, 'SIGKILL');
  }
  await eventually('every replica has failed', CONVERGENCE_TIMEOUT_MS, async () => {
    const views = await Promise.all(
      masters.map(async (port) => cluster.call(port, 'CLUSTER', 'NODES')),
    );
    return views.every((view) =>
      parseClusterNodes(view).every(({ isReplica, isFailed }) => isFailed === isReplica),
    );
  });
}
