import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { HASHING_ONLY, PEERS } from '../peers.js';
import { login } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import { rotated } from '../statistics.js';

/** Enough users to stay below the maximum number of sessions of a user. */
export const LOGIN_USERS = 500;
/** Below the capacity of the hashing queue. */
export const LOGIN_CONNECTIONS = 16;
const ORDER = [HASHING_ONLY, PEERS.keyslot] as const;

export const logins: Scenario = {
  name: 'logins',
  about: `POST /api/login from ${LOGIN_CONNECTIONS} connections; beside it the check of the password alone.`,
  baseline: HASHING_ONLY.name,
  prepare: async ([stage], { seconds }) => {
    const sessions = await stage.seedUsers(LOGIN_USERS, 1);
    const file = stage.writeRequests(sessions.map(login));
    const servers = [await stage.start(HASHING_ONLY), await stage.startKeyslot()] as const;
    const load = { file, order: 'cycle', connections: LOGIN_CONNECTIONS, seconds } as const;
    return async (round) => {
      const measured: Record<string, Measurement> = {};
      for (const index of rotated([0, 1] as const, round)) {
        await warmUp(servers[index], load);
        measured[ORDER[index].name] = await measure(servers[index], load);
      }
      return Object.fromEntries(ORDER.map(({ name }) => [name, measured[name]!]));
    };
  },
};
