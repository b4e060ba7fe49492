import { eventually } from '../support/own-cluster.js';
import { Resharding } from './resharding.js';
import type { World, WorldOptions } from './world.js';

const CONTROL_LOG = 'near-cache.control';
/** A failover, with this cluster's node timeout of two seconds, and some more. */
const PAST_FAILOVER_MS = 6000;
const FAILOVER_MS = 20_000;
const WHOLE_SHARD_BACK_MS = 60_000;
const LONG_PAUSE_MS = 60_000;

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly options?: Omit<WorldOptions, 'seed'>;
  /** From when the time to recover counts: what heals by itself counts from its begin. */
  readonly recoversFrom: 'begin' | 'end';
  readonly run: (world: World) => Promise<void>;
}

/** What can happen to Keyslot. Each is one row of the table. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'masters-killed',
    about: 'kill -9 of each master, one after the other',
    recoversFrom: 'begin',
    run: async (world) => {
      for (let count = 0; count < 3; count += 1) {
        const masters = await world.redis.masters();
        await world.history.fault('kill -9', async () => {
          world.redis.signal(masters[count % masters.length]!, 'SIGKILL');
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
    recoversFrom: 'begin',
    run: async (world) => {
      const replica = await world.redis.replicaOf(world.random.pick(await world.redis.masters()));
      await world.history.fault('kill -9', async () => {
        world.redis.signal(replica, 'SIGKILL');
        return Promise.resolve();
      });
      await world.redis.untilWhole();
    },
  },
  {
    name: 'replica-left-behind',
    about:
      'a replica loses touch with its master, which then dies: the replica leads without what came last',
    recoversFrom: 'end',
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
    recoversFrom: 'end',
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
    recoversFrom: 'end',
    run: async (world) => {
      for (const master of (await world.redis.masters()).slice(0, 2)) {
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
    recoversFrom: 'end',
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
    recoversFrom: 'end',
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
    recoversFrom: 'begin',
    run: async (world) => {
      for (const master of (await world.redis.masters()).slice(0, 2)) {
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
    recoversFrom: 'end',
    run: async (world) => {
      const resharding = new Resharding(world.redis);
      const control = await resharding.slotOf(CONTROL_LOG);
      const from = await resharding.masterOf(control);
      const to = (await world.redis.masters()).find((port) => port !== from)!;
      const used = await resharding.usedSlotsOf(from, 40);
      const slots = [...new Set([control, ...used])];
      await world.history.fault('moves', async () => {
        for (const slot of slots) {
          await resharding.move(slot, from, to);
        }
        for (const slot of slots) {
          await resharding.move(slot, to, from);
        }
      });
    },
  },
  {
    name: 'shard-added-and-removed',
    about: 'a fourth master with its replica comes, serves slots, and goes',
    recoversFrom: 'end',
    run: async (world) => {
      const resharding = new Resharding(world.redis);
      const added = await resharding.addShard();
      const moved: [slot: number, from: number][] = [];
      await world.history.fault('come and go', async () => {
        for (const from of await world.redis.masters()) {
          for (const slot of await resharding.usedSlotsOf(from, 15)) {
            await resharding.move(slot, from, added);
            moved.push([slot, from]);
          }
        }
        await world.goOn(2000);
        for (const [slot, from] of moved) {
          await resharding.move(slot, added, from);
        }
        await resharding.removeShard();
      });
    },
  },
  {
    name: 'redis-down',
    about: 'every node stands still, and later every node is killed; then all are back',
    recoversFrom: 'end',
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
    recoversFrom: 'begin',
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
    recoversFrom: 'end',
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
    recoversFrom: 'end',
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
    recoversFrom: 'begin',
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
    recoversFrom: 'begin',
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
    recoversFrom: 'end',
    run: async (world) => {
      await world.history.fault('pause', async () => world.pause(1, LONG_PAUSE_MS));
    },
  },
  {
    name: 'instance-cut-off',
    about: 'one instance cannot reach one node; later it sends, but nothing comes back',
    options: { wired: 0 },
    recoversFrom: 'end',
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
    recoversFrom: 'end',
    run: async (world) => world.goOn(6000),
  },
  {
    name: 'clock-behind',
    about: 'the clock of one instance is an hour behind',
    options: { wrongClock: { instance: 2, hours: -1 } },
    recoversFrom: 'end',
    run: async (world) => world.goOn(6000),
  },
];
