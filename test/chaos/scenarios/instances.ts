import {
  FAILOVER_RECOVERY_MS,
  MAX_RARE_REFUSALS,
  SHORT_RECOVERY_MS,
  type Scenario,
} from '../scenario.js';

const LONG_PAUSE_MS = 60_000;

/** Faults of Keyslot instances. */
export const INSTANCE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'rolling-restart',
    about: 'the instances are stopped and started, one after the other',
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    maxRefusedShare: MAX_RARE_REFUSALS,
    run: async (world) => {
      for (const index of world.instances.keys()) {
        await world.history.fault('restart', async () => world.restart(index, 'stop'));
        await world.runFor(1000);
      }
    },
  },
  {
    name: 'instances-killed',
    about: 'kill -9 of instances, one after the other',
    recovery: { from: 'begin', withinMs: FAILOVER_RECOVERY_MS },
    maxRefusedShare: MAX_RARE_REFUSALS,
    run: async (world) => {
      for (const index of world.instances.keys()) {
        await world.history.fault('kill -9', async () => world.restart(index, 'kill'));
        await world.runFor(1000);
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
    name: 'clock-ahead',
    about: 'the clock of one instance is an hour ahead',
    options: { wrongClock: { instance: 2, hours: 1 } },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => world.runFor(6000),
  },
  {
    name: 'clock-behind',
    about: 'the clock of one instance is an hour behind',
    options: { wrongClock: { instance: 2, hours: -1 } },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    run: async (world) => world.runFor(6000),
  },
];
