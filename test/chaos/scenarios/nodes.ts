import { eventually } from '../../support/own-cluster.js';
import { FAILOVER_RECOVERY_MS, SHORT_RECOVERY_MS, type Scenario } from '../scenario.js';
import { Shards } from '../../support/shards.js';
import { noteServed } from '../notes.js';
import type { World } from '../world.js';

/** A failover with the node timeout of two seconds in this cluster, plus a margin. */
const PAST_FAILOVER_MS = 6000;
const FAILOVER_MS = 20_000;
const REWRITE_TIMEOUT_MS = 30_000;
const SHARD_RECOVERY_TIMEOUT_MS = 60_000;
/** For an instance that has lost its inbox: its lease, the timeout of a renewal, and the opening of another inbox. */
const NEW_INBOX_MS = 6000;
const TRUST_TIMEOUT_MS = 2000;
const SHARD_PAUSE_MS = 15_000;

/** Faults of Redis nodes. */
export const NODE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'masters-killed',
    about: 'kill -9 of each master, one after the other',
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const master of await world.redis.masters()) {
        await world.history.fault('kill -9', async () => {
          world.redis.signal(master, 'SIGKILL');
          return Promise.resolve();
        });
        await world.redis.untilWhole();
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'replica-killed',
    about: 'kill -9 of a replica, which is back before it counts as failed',
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      const replica = await world.redis.replicaOf(world.random.pick(await world.redis.masters()));
      await world.history.fault('kill -9', async () => {
        world.redis.signal(replica, 'SIGKILL');
        await world.redis.untilWhole();
      });
    },
  },
  {
    name: 'replica-left-behind',
    about:
      'a replica loses touch with its master, which then dies: the replica leads without what came last',
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      for (let count = 0; count < 2; count += 1) {
        const master = world.random.pick(await world.redis.masters());
        const replica = await world.redis.replicaOf(master);
        const { cluster } = world.redis;
        await world.history.fault('left behind', async () => {
          world.redis.signal(replica, 'SIGSTOP');
          await cluster.call(master, 'CLIENT', 'KILL', 'TYPE', 'replica');
          await world.runFor(1500);
          world.redis.signal(master, 'SIGKILL');
          world.redis.signal(replica, 'SIGCONT');
          await world.redis.untilWhole();
        });
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'shard-killed',
    about: 'kill -9 of a master and its replica at once, and their return',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      const master = world.random.pick(await world.redis.masters());
      const replica = await world.redis.replicaOf(master);
      await world.history.fault('kill -9 of a shard', async () => {
        world.redis.signal(master, 'SIGKILL');
        world.redis.signal(replica, 'SIGKILL');
        await untilTheyRun(world, [master, replica]);
      });
    },
  },
  {
    name: 'inbox-shard-lost',
    about:
      'the shard with the inbox of an instance is killed, and later another one stands still: users of other shards are ' +
      'served as soon as the instance has another inbox',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const how of ['kill -9', 'pause'] as const) {
        const shards = await Shards.of(world.redis);
        const [lost] = await world.inboxMasters(shards);
        await loseShard(world, shards, lost!, how, NEW_INBOX_MS);
      }
      noteServed(world.history, 'requests of users without data in the lost shard');
    },
  },
  {
    name: 'users-shard-lost',
    about:
      'the shard of the signing keys, which has no inbox, is killed, and later stands still: users of other shards notice ' +
      'nothing',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const how of ['kill -9', 'pause'] as const) {
        const shards = await Shards.of(world.redis);
        await loseShard(world, shards, shards.ofSigningKeys, how, 0);
      }
      noteServed(world.history, 'requests of users without data in the lost shard');
    },
  },
  {
    name: 'master-paused',
    about: 'a master stands still past the failover and wakes up believing that it still leads',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const master of await world.redis.masters()) {
        await world.history.fault('pause', async () => {
          world.redis.signal(master, 'SIGSTOP');
          await world.runFor(PAST_FAILOVER_MS);
          world.redis.signal(master, 'SIGCONT');
        });
        await world.redis.untilWhole();
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'master-wakes-at-failover',
    about:
      'a master stands still, and wakes up in the very moment in which its replica has taken over',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (let count = 0; count < 4; count += 1) {
        const master = world.random.pick(await world.redis.masters());
        const replica = await world.redis.replicaOf(master);
        await world.history.fault('pause', async () => {
          world.redis.signal(master, 'SIGSTOP');
          await eventually('the replica leads', FAILOVER_MS, async () =>
            (await world.redis.cluster.call(replica, 'ROLE')).startsWith('master'),
          );
          world.redis.signal(master, 'SIGCONT');
        });
        await world.redis.untilWhole();
        await world.runFor(500);
      }
    },
  },
  {
    name: 'master-blinks',
    about: 'masters stand still for less than the failover takes',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (let count = 0; count < 6; count += 1) {
        const master = world.random.pick(await world.redis.masters());
        await world.history.fault('blink', async () => {
          world.redis.signal(master, 'SIGSTOP');
          await world.runFor(world.random.between(100, 1500));
          world.redis.signal(master, 'SIGCONT');
        });
        await world.redis.untilWhole();
        await world.runFor(500);
      }
    },
  },
  {
    name: 'master-restarted-early',
    about: 'a master is killed and back before its replica could take over',
    options: { restartNodes: 'at-once' },
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      for (const master of await world.redis.masters()) {
        await world.history.fault('restart', async () => {
          world.redis.signal(master, 'SIGKILL');
          return Promise.resolve();
        });
        await world.redis.untilWhole();
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'nodes-restarted',
    about: 'every node is ended and started again, all at once: by SIGTERM, then by kill -9',
    options: { restartNodes: 'at-once' },
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      const ports = world.redis.cluster.addresses.map(({ port }) => port);
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await rewriteAppendOnlyFiles(world);
        await world.history.fault(`${signal} to all`, async () => {
          await restart(world, ports, signal);
          await world.redis.untilWhole();
        });
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'nodes-restarted-in-turn',
    about: 'every node, one after the other, is ended by SIGTERM and started again at once',
    options: { restartNodes: 'at-once' },
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      await rewriteAppendOnlyFiles(world);
      for (const { port } of world.redis.cluster.addresses) {
        await world.history.fault('SIGTERM', async () => {
          await restart(world, [port], 'SIGTERM');
          await world.redis.untilWhole();
        });
        await world.runFor(500);
      }
    },
  },
  {
    name: 'redis-down',
    about: 'every node stands still, and later every node is killed; then all are back',
    recovery: { from: 'end', withinMs: FAILOVER_RECOVERY_MS },
    run: async (world) => {
      const ports = [...world.redis.cluster.pids.keys()];
      await world.history.fault('all paused', async () => {
        ports.forEach((port) => world.redis.signal(port, 'SIGSTOP'));
        await world.runFor(4000);
        ports.forEach((port) => world.redis.signal(port, 'SIGCONT'));
      });
      await world.redis.untilWhole();
      await world.runFor(1000);
      await world.history.fault('all killed', async () => {
        ports.forEach((port) => world.redis.signal(port, 'SIGKILL'));
        await world.redis.untilWhole();
      });
    },
  },
  {
    name: 'memory-full',
    about: 'a master may take no more memory, and then it may again',
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      const master = world.random.pick(await world.redis.masters());
      await world.history.fault('full', async () => {
        await world.redis.cluster.call(master, 'CONFIG', 'SET', 'maxmemory', '1mb');
        await world.runFor(5000);
        await world.redis.cluster.call(master, 'CONFIG', 'SET', 'maxmemory', '0');
      });
    },
  },
];

async function loseShard(
  world: World,
  shards: Shards,
  master: number,
  how: 'kill -9' | 'pause',
  othersAfterMs: number,
): Promise<void> {
  const nodes = shards.nodesOf(master);
  const signal = (name: NodeJS.Signals): void =>
    nodes.forEach((port) => world.redis.signal(port, name));
  await world.history.fault(`${how} of a shard`, async (fault) => {
    fault.isAffected = (slots) => shards.has(master, slots);
    fault.servedFrom = fault.begin + othersAfterMs;
    signal(how === 'pause' ? 'SIGSTOP' : 'SIGKILL');
    await world.runFor(NEW_INBOX_MS);
    await world.untilTrusted(TRUST_TIMEOUT_MS);
    if (how === 'pause') {
      await world.runFor(SHARD_PAUSE_MS - NEW_INBOX_MS);
      signal('SIGCONT');
    }
    await untilTheyRun(world, nodes);
  });
  await world.redis.untilWhole();
  await world.runFor(1000);
}

async function untilTheyRun({ redis }: World, nodes: readonly number[]): Promise<void> {
  await eventually('the shard runs again', SHARD_RECOVERY_TIMEOUT_MS, async () => {
    const answers = nodes.map(async (port) => redis.cluster.call(port, 'PING').catch(() => ''));
    return (await Promise.all(answers)).every((answer) => answer === 'PONG');
  });
}

/** After the rewrite, a node loads earlier data from the snapshot and later data from the commands. */
async function rewriteAppendOnlyFiles(world: World): Promise<void> {
  const { cluster } = world.redis;
  for (const { port } of cluster.addresses) {
    await cluster.call(port, 'BGREWRITEAOF');
    await eventually('the append-only file is rewritten', REWRITE_TIMEOUT_MS, async () => {
      const info = await cluster.call(port, 'INFO', 'persistence');
      return /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(info);
    });
  }
  await world.runFor(1000);
}

/** Returns when new processes serve these ports. */
async function restart(
  { redis }: World,
  ports: readonly number[],
  signal: NodeJS.Signals,
): Promise<void> {
  const before = new Map(redis.cluster.pids);
  ports.forEach((port) => redis.signal(port, signal));
  await eventually('the nodes run again', FAILOVER_MS, async () => {
    const now = redis.cluster.pids;
    return Promise.resolve(
      ports.every((port) => now.has(port) && now.get(port) !== before.get(port)),
    );
  });
}
