import {
  FAILOVER_RECOVERY_MS,
  MAX_RARE_REFUSALS,
  SHORT_RECOVERY_MS,
  type Scenario,
} from '../scenario.js';

const LONG_PAUSE_MS = 60_000;
/** Longer than a lease. */
const MEMBERS_PAUSE_MS = 6000;
/** The time in which clients make members hold sessions. */
const HOLDING_MS = 5000;
const MIN_LEASE_WAITS = 3;

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
    name: 'many-instances',
    about:
      'of sixteen members, some of which hold a session, thirteen stand still at once, and later die at once',
    options: { lightMembers: 13 },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    // A change waits for all their leases together, and not for one after the other.
    maxRefusedShare: MAX_RARE_REFUSALS,
    run: async (world) => {
      await world.untilLightMembersWork();
      await world.runFor(HOLDING_MS);
      await world.history.fault('pause', async () =>
        world.disturbLightMembers('pause', MEMBERS_PAUSE_MS),
      );
      await world.untilLightMembersWork();
      await world.runFor(HOLDING_MS);
      await world.history.fault('kill -9', async () => world.disturbLightMembers('kill'));
      const waits = await world.leaseWaits();
      world.history.notes.push(`${waits} changes waited for the leases of silent members`);
      if (waits < MIN_LEASE_WAITS) {
        world.history.untried.push(
          `only ${waits} changes waited for a lease; the minimum is ${MIN_LEASE_WAITS}`,
        );
      }
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
