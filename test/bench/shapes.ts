import { measure, measureOnce, warmUp } from './measure.js';
import type { Measurement } from './measures.js';
import { ownUser, rename } from './request-list.js';
import type { Scenario } from './scenario.js';
import type { ClusterShape } from './stage.js';
import { rotated } from './statistics.js';

const SESSIONS_PER_USER = 20;
const COLD_USERS_PER_SECOND = 100;
const WRITERS = 500;

/** Durable writes, by all clients and by a single one, and cold reads, with clusters of different shapes. */
export function withShapes(shapes: readonly ClusterShape[]): Pick<Scenario, 'stages' | 'prepare'> {
  return {
    stages: shapes,
    prepare: async (stages, { seconds, connections }) => {
      const clusters = await Promise.all(
        stages.map(async (stage, index) => {
          const writers = await stage.seedUsers(WRITERS, 1);
          const file = stage.writeRequests(
            writers.map((writer) => rename(writer, `Renamed ${writer.username}`)),
          );
          const writes = { file, order: 'cycle', connections, seconds } as const;
          return { shape: shapes[index]!, stage, server: await stage.startKeyslot(), writes };
        }),
      );
      return async (round) => {
        const measured: Record<string, Measurement> = {};
        for (const { shape, stage, server, writes } of rotated(clusters, round)) {
          const sessions = await stage.seedUsers(
            COLD_USERS_PER_SECOND * seconds,
            SESSIONS_PER_USER,
          );
          const reads = sessions.map(({ header }) => ownUser(header));
          await warmUp(server, writes);
          measured[`writes, ${shape}`] = await measure(server, writes);
          measured[`writes of one client, ${shape}`] = await measure(server, {
            ...writes,
            connections: 1,
          });
          measured[`cold reads, ${shape}`] = await measureOnce(stage, server, reads, {
            seconds,
            connections,
          });
        }
        const subjects = ['cold reads', 'writes', 'writes of one client'].flatMap((what) =>
          shapes.map((shape) => `${what}, ${shape}`),
        );
        return Object.fromEntries(subjects.map((subject) => [subject, measured[subject]!]));
      };
    },
  };
}
