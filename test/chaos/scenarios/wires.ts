import { SHORT_RECOVERY_MS, type Scenario } from '../scenario.js';

/** Faults of the network between instances and nodes. */
export const WIRE_SCENARIOS: readonly Scenario[] = [
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
        await world.runFor(world.random.between(100, 400));
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
        await world.runFor(8000);
        world.wire!.restore();
      });
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
            await world.runFor(4000);
            world.wire!.restore();
          });
          await world.runFor(1500);
        }
      }
    },
  },
];
