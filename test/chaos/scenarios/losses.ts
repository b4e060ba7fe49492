import { parseClusterNodes } from '../../../src/redis-cluster/index.js';
import { eventually } from '../../support/own-cluster.js';
import { Shards } from '../../support/shards.js';
import { isAnswered, isUnknown, type History, type LostCopy, type Operation } from '../history.js';
import { noteRecoveries, noteServed } from '../notes.js';
import { FAILOVER_RECOVERY_MS, type Scenario } from '../scenario.js';
import type { World } from '../world.js';

/** From this time after the loss of a node on, no request is refused. */
const SERVED_AFTER_MS = 12_000;
/** How long requests are watched from then on. */
const WATCHED_MS = 5000;
/** Until the other masters agree that a node has failed, or until a replica leads. */
const FAILOVER_MS = 20_000;
/** The servers wait five seconds before a spare replica moves, and the replica copies the data of its new master. */
const MOVE_TIMEOUT_MS = 20_000;
/** Writes with one copy, before this copy is lost. */
const ONE_COPY_MS = 5000;
/** Shorter than `cluster-replica-validity-factor` allows: the replica is promoted. */
const CUT_OFF_MS = 6000;
/** A replica that may stand for election is promoted within this time. */
const NO_ELECTION_MS = 10_000;
const USERS_WITH_LONG_SESSIONS = 80;
const MIN_WITH_ONE_COPY = 3;

/** Nodes that do not come back by themselves. */
export const LOSS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'node-lost',
    about:
      'each node is lost for some time, first the replicas and then the masters, and returns with its old data',
    options: { restartNodes: 'never' },
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      const masters = await world.redis.masters();
      const ports = world.redis.cluster.addresses.map(({ port }) => port);
      const replicas = ports.filter((port) => !masters.includes(port));
      for (const port of [...replicas, ...masters]) {
        const role = masters.includes(port) ? 'master' : 'replica';
        await world.history.fault(`loss of a ${role}`, async (fault) => {
          fault.servedFrom = fault.begin + SERVED_AFTER_MS;
          world.redis.signal(port, 'SIGKILL');
          await world.runFor(world.lostMs);
        });
        await comeBack(world, `return of a ${role}`, [port]);
      }
      noteServed(world.history, `requests later than ${SERVED_AFTER_MS / 1000} s after a loss`);
      noteRecoveries(world.history, 'begin');
    },
  },
  {
    name: 'two-replicas',
    about:
      'nine nodes: a master loses one of its two replicas, and then the master is lost as well',
    options: {
      restartNodes: 'never',
      replicasPerMaster: 2,
      // Otherwise a replica of another master moves to the shard that has lost two nodes.
      configuration: ['cluster-allow-replica-migration no'],
    },
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const master of await world.redis.masters()) {
        const masters = await world.redis.masters();
        const replica = world.random.pick(await world.redis.replicasOf(master));
        await world.history.fault('loss of a replica', async (fault) => {
          world.redis.signal(replica, 'SIGKILL');
          await untilFailed(world, replica, masters);
          fault.servedFrom = world.history.now();
          await world.runFor(WATCHED_MS);
        });
        await world.history.fault('loss of its master', async (fault) => {
          fault.servedFrom = fault.begin + SERVED_AFTER_MS;
          world.redis.signal(master, 'SIGKILL');
          await world.runFor(SERVED_AFTER_MS + WATCHED_MS);
        });
        await comeBack(world, 'return of both', [replica, master]);
      }
      noteServed(
        world.history,
        `requests after the replica had the flag \`fail\`, or later than ${SERVED_AFTER_MS / 1000} s after the loss of its master`,
      );
      noteRecoveries(world.history, 'begin');
    },
  },
  {
    name: 'spare-replica',
    about:
      'seven nodes: a shard loses its master, later another one its replica; the spare replica moves there, and then the ' +
      'other node is lost as well',
    options: { restartNodes: 'never', spareReplicas: 1 },
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const role of ['master', 'replica'] as const) {
        const [master, replica] = await shardWithoutSpare(world);
        const [first, second] = role === 'master' ? [master, replica] : [replica, master];
        await world.history.fault(`loss of a ${role}`, async (fault) => {
          fault.servedFrom = fault.begin + SERVED_AFTER_MS;
          world.redis.signal(first, 'SIGKILL');
          const ms = await eventually('the spare replica has moved', MOVE_TIMEOUT_MS, async () =>
            hasOtherReplica(await world.redis.cluster.call(second, 'INFO', 'replication'), first),
          );
          world.history.notes.push(`The spare replica had moved after ${(ms / 1000).toFixed(1)} s`);
          await world.runFor(Math.max(0, SERVED_AFTER_MS - ms) + WATCHED_MS);
        });
        await world.history.fault('loss of the other node', async (fault) => {
          fault.servedFrom = fault.begin + SERVED_AFTER_MS;
          world.redis.signal(second, 'SIGKILL');
          await world.runFor(SERVED_AFTER_MS + WATCHED_MS);
        });
        await comeBack(world, 'return of both', [first, second]);
      }
      noteServed(world.history, `requests later than ${SERVED_AFTER_MS / 1000} s after a loss`);
      noteRecoveries(world.history, 'begin');
    },
  },
  {
    name: 'replica-cut-off',
    about:
      'a replica cannot log in to its master any more, but every node is in touch with every other one; then the master is ' +
      'lost, and the replica leads',
    options: { restartNodes: 'never' },
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const master of await world.redis.masters()) {
        await world.history.fault('replica cut off', async () => cutOffAndLead(world, master));
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'replica-returns-stale',
    about:
      'a replica is lost, and returns when its master is lost: first it was only stopped and leads without what its master ' +
      'confirmed alone; later it was killed and does not lead until its master is back',
    options: { restartNodes: 'never', users: USERS_WITH_LONG_SESSIONS },
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      await world.untilRegistered();
      for (const how of ['stopped', 'killed'] as const) {
        for (const master of await world.redis.masters()) {
          await world.history.fault(`replica ${how}, and then its master lost`, async () =>
            returnWithoutMaster(world, master, how),
          );
          await world.runFor(1000);
        }
      }
    },
  },
];

/** The replica keeps its connections of the cluster bus, and leads when its master is lost. */
async function cutOffAndLead(world: World, master: number): Promise<void> {
  const { redis, history } = world;
  const { cluster } = redis;
  const shards = await Shards.of(redis);
  const replica = await redis.replicaOf(master);
  const setting = await cluster.call(replica, 'CONFIG', 'GET', 'masterauth');
  await cluster.call(replica, 'CONFIG', 'SET', 'masterauth', 'wrong');
  await cluster.call(master, 'CLIENT', 'KILL', 'TYPE', 'replica');
  const begin = history.now();
  await world.runFor(CUT_OFF_MS);
  noteShard(history, begin, (slots) => shards.has(master, slots));
  redis.signal(master, 'SIGKILL');
  await untilLeading(world, replica);
  await cluster.call(replica, 'CONFIG', 'SET', 'masterauth', setting.split(',')[1]!);
  await cluster.startNode(master);
  await redis.untilWhole();
}

/** A replica returns when its master is lost, after the master has confirmed writes alone. */
async function returnWithoutMaster(
  world: World,
  master: number,
  how: 'stopped' | 'killed',
): Promise<void> {
  const { redis, history } = world;
  const shards = await Shards.of(redis);
  const has = (slots: readonly number[]): boolean => shards.has(master, slots);
  const replica = await redis.replicaOf(master);
  const begin = history.now();
  redis.signal(replica, how === 'stopped' ? 'SIGSTOP' : 'SIGKILL');
  if (how === 'stopped') {
    // Otherwise the operating system keeps what the master sends, and the replica reads it when it continues.
    await redis.cluster.call(master, 'CLIENT', 'KILL', 'TYPE', 'replica');
  }
  await untilFailed(world, replica, shards.ports);
  const failedAt = history.now();
  await world.runFor(ONE_COPY_MS);
  noteOneCopy(history, failedAt, has);
  redis.signal(master, 'SIGKILL');
  if (how === 'stopped') {
    history.lostCopies.push({ begin, end: history.now(), has });
    redis.signal(replica, 'SIGCONT');
    await untilLeading(world, replica);
  } else {
    await redis.cluster.startNode(replica);
    await world.runFor(NO_ELECTION_MS);
  }
  await redis.cluster.startNode(master);
  await redis.untilWhole();
}

/** Starts the nodes again with their old data, and waits until the cluster is whole. */
async function comeBack(world: World, name: string, ports: readonly number[]): Promise<void> {
  await world.history.fault(name, async () => {
    await Promise.all(ports.map(async (port) => world.redis.cluster.startNode(port)));
    await world.redis.untilWhole();
  });
  await world.runFor(1000);
}

async function untilFailed(
  { redis }: World,
  failed: number,
  masters: readonly number[],
): Promise<void> {
  await eventually('the masters agree that the node has failed', FAILOVER_MS, async () => {
    const views = await Promise.all(
      masters.map(async (master) => redis.cluster.call(master, 'CLUSTER', 'NODES')),
    );
    return views.every((view) =>
      parseClusterNodes(view).some(({ port, isFailed }) => port === failed && isFailed),
    );
  });
}

async function untilLeading({ redis }: World, port: number): Promise<void> {
  await eventually('the replica leads', FAILOVER_MS, async () =>
    (await redis.cluster.call(port, 'ROLE')).startsWith('master'),
  );
}

/** A master with exactly one replica, and this replica. */
async function shardWithoutSpare({ redis, random }: World): Promise<[number, number]> {
  const shards = await Promise.all(
    (await redis.masters()).map(async (master) => ({
      master,
      replicas: await redis.replicasOf(master),
    })),
  );
  const { master, replicas } = random.pick(shards.filter((one) => one.replicas.length === 1));
  return [master, replicas[0]!];
}

/** Whether a node leads and has a synced replica other than the lost node. */
function hasOtherReplica(info: string, lost: number): boolean {
  const online = [...info.matchAll(/slave\d+:.*port=(\d+),state=online/g)];
  return info.includes('role:master') && online.some(([, port]) => Number(port) !== lost);
}

/** Notes the responses to the users of a shard since then. */
function noteShard(history: History, since: number, has: LostCopy['has']): void {
  const those = history.operations.filter(
    ({ begin, slots }) => begin > since && slots !== undefined && has(slots),
  );
  const [answered, refused] = [isAnswered, isUnknown].map((is) => those.filter(is).length);
  history.notes.push(`Users of the shard: ${answered} requests succeeded, ${refused} were refused`);
}

/** Notes the writes that only the master of the shard has. */
function noteOneCopy(history: History, since: number, has: LostCopy['has']): void {
  const isWrite = ({ kind }: Operation): boolean => kind !== 'read';
  const count = history.operations.filter(
    (one) =>
      isWrite(one) && isAnswered(one) && one.begin > since && has(one.slots?.slice(-1) ?? []),
  ).length;
  history.notes.push(`${count} writes were confirmed with one copy`);
  if (count < MIN_WITH_ONE_COPY) {
    history.untried.push(
      `only ${count} writes were confirmed with one copy; the minimum is ${MIN_WITH_ONE_COPY}`,
    );
  }
}
