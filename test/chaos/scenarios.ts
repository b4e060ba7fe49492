import { eventually } from '../support/own-cluster.js';
import { NODE_TIMEOUT_MS } from '../../src/embedded-cluster/redis-node.js';
import type { Expectations } from './expectations.js';
import type { World, WorldOptions } from './world.js';

const CONTROL_LOG = 'near-cache.control';
/** A failover, with this cluster's node timeout of two seconds, and some more. */
const PAST_FAILOVER_MS = 6000;
const FAILOVER_MS = 20_000;
const WHOLE_SHARD_BACK_MS = 60_000;
const LONG_PAUSE_MS = 60_000;
/** Each lives in two slots, of three masters. */
const USERS_IN_MOVING_SLOTS = 40;
const FEWEST_SLOTS_MOVED = 15;
/** So that clients meet a slot on its way: all of them are moved in less than a second. */
const ROUNDS = 4;

/** Of a master: the node timeout, and what an election and the clients' way to the new master take. */
const FAILOVER_RECOVERY_MS = NODE_TIMEOUT_MS + 3000;
/** Of whatever needs no election. */
const SHORT_RECOVERY_MS = 3000;
/** Where clients notice nothing, but for one that was unlucky twice. */
const HARDLY_ANY = 0.01;

export interface Scenario extends Expectations {
  readonly name: string;
  readonly about: string;
  readonly options?: Omit<WorldOptions, 'seed'>;
  readonly run: (world: World) => Promise<void>;
}

/** What can happen to Keyslot. Each is one row of the table. */
export const SCENARIOS: readonly Scenario[] = [
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
        await world.goOn(1000);
      }
    },
  },
  {
    name: 'replica-killed',
    about: 'kill -9 of a replica: its master takes no durable write until it is back',
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
          // So that the master goes on taking writes, and only WAIT tells that nobody else has them.
          await cluster.call(master, 'CONFIG', 'SET', 'min-replicas-to-write', 0);
          world.redis.signal(replica, 'SIGSTOP');
          await cluster.call(master, 'CLIENT', 'KILL', 'TYPE', 'replica');
          await world.goOn(1500);
          world.redis.signal(master, 'SIGKILL');
          world.redis.signal(replica, 'SIGCONT');
          await world.redis.untilWhole();
        });
        await world.goOn(1000);
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
        await eventually('the shard runs again', WHOLE_SHARD_BACK_MS, async () => {
          const answers = [master, replica].map(async (port) =>
            world.redis.cluster.call(port, 'PING').catch(() => ''),
          );
          return (await Promise.all(answers)).every((answer) => answer === 'PONG');
        });
      });
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
          await world.goOn(PAST_FAILOVER_MS);
          world.redis.signal(master, 'SIGCONT');
        });
        await world.redis.untilWhole();
        await world.goOn(1000);
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
        await world.goOn(500);
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
          await world.goOn(world.random.between(100, 1500));
          world.redis.signal(master, 'SIGCONT');
        });
        await world.redis.untilWhole();
        await world.goOn(500);
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
        await world.goOn(1000);
      }
    },
  },
  {
    name: 'slots-moved',
    about: 'slots in use, that of the control log among them, move to another master and back',
    options: { users: USERS_IN_MOVING_SLOTS },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    mostRefused: HARDLY_ANY,
    run: async (world) => {
      const { resharding } = world;
      await world.untilRegistered();
      const control = await resharding.slotOf(CONTROL_LOG);
      const from = await resharding.masterOf(control);
      const to = (await world.redis.masters()).find((port) => port !== from)!;
      const used = await resharding.usedSlotsOf(from, 40);
      const slots = [...new Set([control, ...used])];
      await world.history.fault('moves', async () => {
        for (let round = 0; round < ROUNDS; round += 1) {
          for (const slot of slots) {
            await resharding.move(slot, from, to);
          }
          for (const slot of slots) {
            await resharding.move(slot, to, from);
          }
        }
      });
      noteMoves(world, slots.length);
    },
  },
  {
    name: 'shard-added-and-removed',
    about: 'a fourth master with its replica comes, serves slots, and goes',
    options: { users: USERS_IN_MOVING_SLOTS },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    mostRefused: HARDLY_ANY,
    run: async (world) => {
      const { resharding } = world;
      await world.untilRegistered();
      const added = await resharding.addShard();
      const slots: [slot: number, from: number][] = [];
      for (const from of await world.redis.masters()) {
        const used = await resharding.usedSlotsOf(from, 15);
        slots.push(...used.map((slot): [number, number] => [slot, from]));
      }
      await world.history.fault('come and go', async () => {
        for (const [slot, from] of slots) {
          await resharding.move(slot, from, added);
        }
        await world.goOn(2000);
        for (const [slot, from] of slots) {
          await resharding.move(slot, added, from);
        }
        await resharding.removeShard();
      });
      noteMoves(world, slots.length);
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
        await world.goOn(4000);
        ports.forEach((port) => world.redis.signal(port, 'SIGCONT'));
      });
      await world.redis.untilWhole();
      await world.goOn(1000);
      await world.history.fault('all killed', async () => {
        ports.forEach((port) => world.redis.signal(port, 'SIGKILL'));
        await world.redis.untilWhole();
      });
    },
  },
  {
    name: 'connections-cut',
    about: 'every connection of every client is closed, again and again',
    recovery: { from: 'begin', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      for (let count = 0; count < 20; count += 1) {
        await world.history.fault('cut', async () => {
          for (const port of await world.redis.masters()) {
            for (const type of ['normal', 'pubsub']) {
              await world.redis.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
            }
          }
        });
        await world.goOn(world.random.between(100, 400));
      }
    },
  },
  {
    name: 'node-slow',
    about: 'one node is 250 ms away, each way, from one instance',
    options: { wired: 0 },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      await world.history.fault('slow', async () => {
        world.wire!.slowDown(250, world.random.pick(await world.redis.masters()));
        await world.goOn(8000);
        world.wire!.mend();
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
        await world.goOn(5000);
        await world.redis.cluster.call(master, 'CONFIG', 'SET', 'maxmemory', '0');
      });
    },
  },
  {
    name: 'rolling-restart',
    about: 'the instances are stopped and started, one after the other',
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    mostRefused: HARDLY_ANY,
    run: async (world) => {
      for (const index of world.instances.keys()) {
        await world.history.fault('restart', async () => world.restart(index, 'stop'));
        await world.goOn(1000);
      }
    },
  },
  {
    name: 'instances-killed',
    about: 'kill -9 of instances, one after the other',
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    mostRefused: HARDLY_ANY,
    run: async (world) => {
      for (const index of world.instances.keys()) {
        await world.history.fault('kill -9', async () => world.restart(index, 'kill'));
        await world.goOn(1000);
      }
    },
  },
  {
    name: 'instance-paused',
    about: 'an instance stands still for a minute, and wakes up with all that it knew',
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      await world.history.fault('pause', async () => world.pause(1, LONG_PAUSE_MS));
    },
  },
  {
    name: 'instance-cut-off',
    about: 'one instance cannot reach one node; later it sends, but nothing comes back',
    options: { wired: 0 },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => {
      for (const direction of ['both', 'answers'] as const) {
        for (const master of await world.redis.masters()) {
          await world.history.fault(`cut (${direction})`, async () => {
            world.wire!.cut(direction, master);
            await world.goOn(4000);
            world.wire!.mend();
          });
          await world.goOn(1500);
        }
      }
    },
  },
  {
    name: 'clock-ahead',
    about: 'the clock of one instance is an hour ahead',
    options: { wrongClock: { instance: 2, hours: 1 } },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => world.goOn(6000),
  },
  {
    name: 'clock-behind',
    about: 'the clock of one instance is an hour behind',
    options: { wrongClock: { instance: 2, hours: -1 } },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => world.goOn(6000),
  },
];

function noteMoves({ history }: World, slots: number): void {
  history.notes.push(`${slots} slots in use were moved there and back`);
  if (slots < FEWEST_SLOTS_MOVED) {
    history.untried.push(`only ${slots} slots were moved, of ${FEWEST_SLOTS_MOVED} at least`);
  }
}
