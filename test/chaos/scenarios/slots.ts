import { MAX_RARE_REFUSALS, SHORT_RECOVERY_MS, type Scenario } from '../scenario.js';
import { Shards } from '../../support/shards.js';
import type { World } from '../world.js';

/** Each user has data in two slots, on three masters. */
const USERS_IN_MOVING_SLOTS = 40;
const MIN_SLOTS_MOVED = 15;
/** Repeated, because one migration of all slots takes less than a second. */
const ROUNDS = 4;

/** Actions of an operator on a cluster in use. */
export const SLOT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'slots-moved',
    about: 'slots in use, that of an inbox among them, move to another master and back',
    options: { users: USERS_IN_MOVING_SLOTS },
    recovery: { from: 'end', withinMs: SHORT_RECOVERY_MS },
    maxRefusedShare: MAX_RARE_REFUSALS,
    run: async (world) => {
      const { resharding } = world;
      await world.untilRegistered();
      const shards = await Shards.of(world.redis);
      const inboxes = await world.inboxSlots(shards);
      const from = shards.masterOf(inboxes[0]!);
      const to = (await world.redis.masters()).find((port) => port !== from)!;
      const used = await resharding.usedSlotsOf(from, 40);
      const there = inboxes.filter((slot) => shards.masterOf(slot) === from);
      const slots = [...new Set([...there, ...used])];
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
    maxRefusedShare: MAX_RARE_REFUSALS,
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
        await world.runFor(2000);
        for (const [slot, from] of slots) {
          await resharding.move(slot, added, from);
        }
        await resharding.removeShard();
      });
      noteMoves(world, slots.length);
    },
  },
];

function noteMoves({ history }: World, slots: number): void {
  history.notes.push(`${slots} slots in use were moved there and back`);
  if (slots < MIN_SLOTS_MOVED) {
    history.untried.push(`only ${slots} slots were moved; the minimum is ${MIN_SLOTS_MOVED}`);
  }
}
