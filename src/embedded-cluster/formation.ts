import { setTimeout as delay } from 'node:timers/promises';

import { parseClusterNodes, SLOTS, type ClusterNode } from '../redis-cluster/index.js';
import { EmbeddedClusterError } from './embedded-cluster.error.js';
import type { RedisNode } from './redis-node.js';

const MASTERS = 3;
const POLL_MS = 25;

/** Makes six empty nodes into three masters with a replica each. */
export async function formCluster(nodes: readonly RedisNode[]): Promise<void> {
  const masters = nodes.slice(0, nodes.length / 2);
  await Promise.all(
    masters.map(async (master, index) => {
      const first = Math.floor((index * SLOTS) / masters.length);
      const last = Math.floor(((index + 1) * SLOTS) / masters.length) - 1;
      await master.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await master.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    }),
  );
  await introduce(nodes);
  const replicas = nodes.slice(masters.length);
  await Promise.all(
    replicas.map(async (replica, index) => replicate(replica, await idOf(masters[index]!))),
  );
}

/**
 * Starts nodes that have been one cluster before. A node whose folder was emptied comes in last, as the replica of the
 * master that lacks one: were it there from the start, its partner would follow it at its old address and empty itself
 * too.
 */
export async function rejoinCluster(nodes: readonly RedisNode[]): Promise<void> {
  const members = nodes.filter((node) => node.isMember);
  const strangers = nodes.filter((node) => !members.includes(node));
  await Promise.all(members.map((node) => node.start()));
  await introduce(members);
  await Promise.all(members.map((member) => takeOverFromMissing(member, members)));
  await refuseLostShard(members, strangers);
  for (const stranger of strangers) {
    stranger.forgetMembership();
    await stranger.start();
    await introduce([...members, stranger]);
    await replicate(stranger, await masterWithoutReplica(members));
    members.push(stranger);
  }
}

/** When a master and its replica both came without data, nobody has them any more. */
async function refuseLostShard(
  members: readonly RedisNode[],
  strangers: readonly RedisNode[],
): Promise<void> {
  const selves = await Promise.all(members.map(selfOf));
  if (selves.filter((self) => self.isMaster).length < MASTERS) {
    throw new EmbeddedClusterError(
      `The data of a master and of its replica are gone: ${strangers.map(({ folder }) => folder).join(', ')}.\n` +
        'Bring one of these folders back, or move the whole data folder away to begin with an empty cluster.',
    );
  }
}

/** A replica that was restarted does not stand for election by itself: it cannot tell how old its data are. */
async function takeOverFromMissing(
  member: RedisNode,
  members: readonly RedisNode[],
): Promise<void> {
  const self = await selfOf(member);
  const present = await Promise.all(members.map(idOf));
  if (self.masterId !== undefined && !present.includes(self.masterId)) {
    await member.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
  }
}

/** Until every slot is served and every replica has caught up with its master. */
export async function untilHealthy(nodes: readonly RedisNode[], timeoutMs: number): Promise<void> {
  let ailing: readonly RedisNode[] = nodes;
  try {
    await until('the cluster to be whole', timeoutMs, async () => {
      const healthy = await Promise.all(nodes.map(isHealthy));
      ailing = nodes.filter((_, index) => !healthy[index]);
      return ailing.length === 0;
    });
  } catch (error) {
    const views = ailing.map(
      async (node) => `Port ${node.port} sees:\n${await node.call('CLUSTER', 'NODES')}`,
    );
    throw new EmbeddedClusterError(
      [(error as Error).message, ...(await Promise.all(views))].join('\n'),
    );
  }
}

/** Whether another node has taken over what the dead node served, or it served nothing. */
export async function isReplaced(deadId: string, survivor: RedisNode): Promise<boolean> {
  const dead = (await nodesSeenBy(survivor)).find(({ id }) => id === deadId);
  return dead === undefined || dead.slots.length === 0;
}

export async function idOf(node: RedisNode): Promise<string> {
  return node.call('CLUSTER', 'MYID');
}

async function introduce(nodes: readonly RedisNode[]): Promise<void> {
  // Everybody to everybody: gossip alone takes seconds to spread the word.
  await Promise.all(
    nodes.flatMap((node) =>
      nodes
        .filter((other) => other !== node)
        .map((other) => node.call('CLUSTER', 'MEET', '127.0.0.1', other.port)),
    ),
  );
}

async function replicate(replica: RedisNode, masterId: string): Promise<void> {
  await until(`port ${replica.port} to know its master`, 15_000, async () => {
    try {
      await replica.call('CLUSTER', 'REPLICATE', masterId);
      return true;
    } catch {
      return false; // not met yet
    }
  });
}

/** As each member says of itself: what one says of the others may be older than the last change. */
async function masterWithoutReplica(members: readonly RedisNode[]): Promise<string> {
  const selves = await Promise.all(members.map(selfOf));
  const followed = new Set(selves.filter((self) => !self.isMaster).map((self) => self.masterId));
  const lonely = selves.find((self) => self.isMaster && !followed.has(self.id));
  if (!lonely) {
    throw new EmbeddedClusterError('Every master has a replica already: there are too many nodes.');
  }
  return lonely.id;
}

async function selfOf(node: RedisNode): Promise<ClusterNode> {
  const self = (await nodesSeenBy(node)).find(({ isMyself }) => isMyself);
  if (!self) {
    throw new EmbeddedClusterError(`The Redis node on port ${node.port} does not know itself.`);
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
    ? /slave0:.*state=online/.test(replication)
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
        `Waited ${timeoutMs / 1000} s in vain for ${what}. The nodes' logs are in the data folder (node-*/redis.log).`,
      );
    }
    await delay(POLL_MS);
  }
}
