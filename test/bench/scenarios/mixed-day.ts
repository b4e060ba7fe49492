import { Random } from '../../chaos/random.js';
import { freePort } from '../../support/free-port.js';
import { refreshCount, requestsOfDay, SHARES } from '../day.js';
import { hitRate, lookUpsOf } from '../hit-rate.js';
import { measureOnce, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import type { Scenario } from '../scenario.js';
import { rotated } from '../statistics.js';

const USERS = 2000;
const SMALL_L1_ENTRIES = 500;
/** If the server is faster, the measurement ends early. */
const REQUESTS_PER_SECOND = 4000;
const SEED = 5;

export const mixedDay: Scenario = {
  name: 'mixed-day',
  about:
    `Requests of ${USERS} users by Zipf's law: of 1000 there are ${SHARES.refresh} refreshes, ${SHARES.change} changes ` +
    `and ${SHARES.login} login, all others reads; with memory for ${SMALL_L1_ENTRIES} sessions, and for all.`,
  prepare: async ([stage], { seconds, connections }) => {
    const readers = await stage.seedUsers(USERS, 1);
    const instances = [
      [`L1 of ${SMALL_L1_ENTRIES}`, { NEAR_CACHE_ENTRIES: String(SMALL_L1_ENTRIES) }],
      ['L1 of all', {}],
    ] as const;
    return async (round) => {
      const measured: Record<string, Measurement> = {};
      for (const [name, variables] of rotated(instances, round)) {
        const count = REQUESTS_PER_SECOND * seconds;
        const refreshing = await stage.seedUsers(refreshCount(count), 1);
        const day = requestsOfDay(count, readers, refreshing, new Random(SEED + round));
        // A single instance: with several, each change would wait for the acknowledgement of the others.
        const port = String(await freePort());
        const server = await stage.startKeyslot({ ...variables, MANAGEMENT_PORT: port });
        const management = `http://127.0.0.1:${port}`;
        const warm = readers.map(({ header }) => ({ path: '/api/user', header }));
        const file = stage.writeRequests(warm);
        await warmUp(server, { file, order: 'once', seconds, connections });
        const before = await lookUpsOf(management);
        const result = await measureOnce(stage, server, day, { seconds, connections });
        measured[name] = { ...result, hitRate: hitRate(before, await lookUpsOf(management)) };
        await stage.stop(server);
      }
      return Object.fromEntries(instances.map(([name]) => [name, measured[name]!]));
    };
  },
};
