import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { login } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import { rotated } from '../statistics.js';
import { LOGIN_CONNECTIONS, LOGIN_USERS } from './logins.js';

const WORKERS = ['1', '2'] as const;
const nameOf = (workers: string): string => `WORKERS=${workers}`;

export const workers: Scenario = {
  name: 'workers',
  about: `POST /api/login from ${LOGIN_CONNECTIONS} connections, to an instance with one worker and to one with two.`,
  baseline: nameOf(WORKERS[0]),
  prepare: async ([stage], { seconds }) => {
    const sessions = await stage.seedUsers(LOGIN_USERS, 1);
    const file = stage.writeRequests(sessions.map(login));
    const servers = [
      await stage.startKeyslot({ WORKERS: WORKERS[0] }),
      await stage.startKeyslot({ WORKERS: WORKERS[1] }),
    ] as const;
    const load = { file, order: 'cycle', connections: LOGIN_CONNECTIONS, seconds } as const;
    return async (round) => {
      const measured: Record<string, Measurement> = {};
      for (const index of rotated([0, 1] as const, round)) {
        await warmUp(servers[index], load);
        measured[nameOf(WORKERS[index])] = await measure(servers[index], load);
      }
      return Object.fromEntries(WORKERS.map((count) => [nameOf(count), measured[nameOf(count)]!]));
    };
  },
};
