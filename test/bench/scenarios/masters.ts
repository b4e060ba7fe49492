import { measure, measureOnce, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { ownUser, rename } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import { rotated } from '../statistics.js';

const MASTERS = [1, 3] as const;
const SESSIONS_PER_USER = 20;
const COLD_USERS_PER_SECOND = 100;
const WRITERS = 500;

export const masters: Scenario = {
  name: 'masters',
  about:
    'Cold reads (GET /api/user, each with a new token) and durable writes (PATCH /api/user), where one master has all ' +
    'slots, and where three share them.',
  stages: MASTERS,
  prepare: async (stages, { seconds, connections }) => {
    const clusters = await Promise.all(
      stages.map(async (stage, index) => {
        const writers = await stage.seedUsers(WRITERS, 1);
        const file = stage.writeRequests(
          writers.map((writer) => rename(writer, `Renamed ${writer.username}`)),
        );
        const writes = { file, order: 'cycle', connections, seconds } as const;
        const server = await stage.startKeyslot();
        return {
          name: `${MASTERS[index]} ${index === 0 ? 'master' : 'masters'}`,
          stage,
          server,
          writes,
        };
      }),
    );
    return async (round) => {
      const measured: Record<string, Measurement> = {};
      for (const { name, stage, server, writes } of rotated(clusters, round)) {
        const sessions = await stage.seedUsers(COLD_USERS_PER_SECOND * seconds, SESSIONS_PER_USER);
        const reads = sessions.map(({ header }) => ownUser(header));
        await warmUp(server, writes);
        measured[`writes, ${name}`] = await measure(server, writes);
        measured[`cold reads, ${name}`] = await measureOnce(stage, server, reads, {
          seconds,
          connections,
        });
      }
      const subjects = ['cold reads', 'writes'].flatMap((what) =>
        clusters.map(({ name }) => `${what}, ${name}`),
      );
      return Object.fromEntries(subjects.map((subject) => [subject, measured[subject]!]));
    };
  },
};
