import { setTimeout as delay } from 'node:timers/promises';

import { parseClusterNodes, SLOTS, type ClusterNode } from '../redis-cluster/index.js';
import { EmbeddedClusterError } from './embedded-cluster.error.js';
import type { RedisNode } from './redis-node.js';

export const MASTERS = 3;
const POLL_MS = 25;

/** Forms a cluster of empty nodes. The first three are masters, and the others are divided among them as replicas. */
export async function formCluster(nodes: readonly RedisNode[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  await Promise.all(
    masters.map(async (master, index) => {
      const first = Math.floor((index * SLOTS) / masters.length);
      const last = Math.floor(((index + 1) * SLOTS) / masters.length) - 1;
      await master.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await master.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    }),
  );
  await meetAll(nodes);
  const replicas = nodes.slice(masters.length);
  await Promise.all(
    replicas.map(async (replica, index) =>
      replicate(replica, await idOf(masters[index % MASTERS]!)),
    ),
  );
}

/**
 * Starts the nodes of an existing cluster. A node whose folder was emptied starts last, as a replica of the master that has
 * the fewest. If it started first, its former replica would follow it at its old address and delete its own data.
 */
export async function rejoinCluster(nodes: readonly RedisNode[]): Promise<void> {
  const members = nodes.filter((node) => node.isMember);
  const emptyNodes = nodes.filter((node) => !members.includes(node));
  await Promise.all(members.map((node) => node.start()));
  await meetAll(members);
  await replaceMissingMasters(members);
  await refuseLostShard(members, emptyNodes);
  for (const emptyNode of emptyNodes) {
    emptyNode.forgetMembership();
    await emptyNode.start();
    await meetAll([...members, emptyNode]);
    await replicate(emptyNode, await masterWithFewestReplicas(members));
    members.push(emptyNode);
  }
}

/** Fails when both a master and its replicas have lost their data. */
async function refuseLostShard(
  members: readonly RedisNode[],
  emptyNodes: readonly RedisNode[],
): Promise<void> {
  const selves = await Promise.all(members.map(selfOf));
  if (selves.filter((self) => self.isMaster).length < MASTERS) {
    throw new EmbeddedClusterError(
      `The data of a master and its replica are missing: ${emptyNodes.map(({ folder }) => folder).join(', ')}.\n` +
        'Restore one of these folders, or move the whole data folder away to start with an empty cluster.',
    );
  }
}

/** Promotes a replica of each missing master. After a restart it does not start an election, because its data may be old. */
async function replaceMissingMasters(members: readonly RedisNode[]): Promise<void> {
  const selves = await Promise.all(members.map(selfOf));
  const isMissing = (masterId: string): boolean => selves.every(({ id }) => id !== masterId);
  const missing = new Set(selves.flatMap(({ masterId }) => masterId ?? []).filter(isMissing));
  await Promise.all(
    [...missing].map(async (id) => {
      const replica = members[selves.findIndex(({ masterId }) => masterId === id)]!;
      await replica.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    }),
  );
}

/** Waits until every slot is served and every replica is in sync with its master. */
export async function untilHealthy(nodes: readonly RedisNode[], timeoutMs: number): Promise<void> {
  let unhealthy: readonly RedisNode[] = nodes;
  try {
    await until('a healthy cluster', timeoutMs, async () => {
      const healthy = await Promise.all(nodes.map(isHealthy));
      unhealthy = nodes.filter((_, index) => !healthy[index]);
      return unhealthy.length === 0;
    });
  } catch (error) {
    const views = unhealthy.map(
      async (node) => `Port ${node.port} sees:\n${await node.call('CLUSTER', 'NODES')}`,
    );
    throw new EmbeddedClusterError(
      [(error as Error).message, ...(await Promise.all(views))].join('\n'),
    );
  }
}

/** Whether the dead node serves no slots, because it had none or another node has taken them over. */
export async function isReplaced(deadId: string, survivor: RedisNode): Promise<boolean> {
  const dead = (await nodesSeenBy(survivor)).find(({ id }) => id === deadId);
  return dead === undefined || dead.slots.length === 0;
}

export async function idOf(node: RedisNode): Promise<string> {
  return node.call('CLUSTER', 'MYID');
}

async function meetAll(nodes: readonly RedisNode[]): Promise<void> {
  // All pairs, because gossip alone takes seconds.
  await Promise.all(
    nodes.flatMap((node) =>
      nodes
        .filter((other) => other !== node)
        .map((other) => node.call('CLUSTER', 'MEET', '127.0.0.1', other.port)),
    ),
  );
}

async function replicate(replica: RedisNode, masterId: string): Promise<void> {
  await until(`the node on port ${replica.port} to discover its master`, 15_000, async () => {
    try {
      await replica.call('CLUSTER', 'REPLICATE', masterId);
      return true;
    } catch {
      return false; // the replica does not know the master yet
    }
  });
}

/** Asks each member about itself, because the view that members have of each other may be outdated. */
async function masterWithFewestReplicas(members: readonly RedisNode[]): Promise<string> {
  const selves = await Promise.all(members.map(selfOf));
  const replicasOf = ({ id }: ClusterNode): number =>
    selves.filter(({ masterId }) => masterId === id).length;
  const masters = selves.filter(({ isMaster }) => isMaster);
  return masters.reduce((fewest, one) => (replicasOf(one) < replicasOf(fewest) ? one : fewest)).id;
}

async function selfOf(node: RedisNode): Promise<ClusterNode> {
  const self = (await nodesSeenBy(node)).find(({ isMyself }) => isMyself);
  if (!self) {
    throw new EmbeddedClusterError(
      `The Redis node on port ${node.port} is missing in its own view of the cluster.`,
    );
  }
  return self;
}

async function isHealthy(node: RedisNode): Promise<boolean> {
  const info = await node.call('CLUSTER', 'INFO');
  if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${SLOTS}`)) {
    return false;
  }
  const replication = await node.call('INFO', 'replication');
  return replication.includes('role:master')
    ? /slave0:/.test(replication) && !/slave\d+:.*state=(?!online)/.test(replication)
    : replication.includes('master_link_status:up');
}

async function nodesSeenBy(node: RedisNode): Promise<ClusterNode[]> {
  return parseClusterNodes(await node.call('CLUSTER', 'NODES'));
}

async function until(
  what: string,
  timeoutMs: number,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isDone())) {
    if (performance.now() > deadline) {
      throw new EmbeddedClusterError(
        `Timeout after ${timeoutMs / 1000} s while waiting for ${what}. The logs of the nodes are in the data folder (node-*/redis.log).`,
      );
    }
    await delay(POLL_MS);
  }
}
