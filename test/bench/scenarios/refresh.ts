import { measureOnce } from '../measure.js';
import { PEERS } from '../peers.js';
import { refresh } from '../request-list.js';
import type { Scenario } from '../scenario.js';

const SESSIONS_PER_USER = 20;
/** If the server is faster, the measurement ends early. */
const USERS_PER_SECOND = 50;
const WARM_UP_USERS = 50;

export const refreshes: Scenario = {
  name: 'refresh',
  about: 'POST /api/refresh, each request with a refresh token that was not used before.',
  prepare: async ([stage], { seconds, connections }) => {
    const keyslot = await stage.startKeyslot();
    const run = async (users: number) => {
      const sessions = await stage.seedUsers(users, SESSIONS_PER_USER);
      return measureOnce(stage, keyslot, sessions.map(refresh), { seconds, connections });
    };
    await run(WARM_UP_USERS);
    return async () => ({ [PEERS.keyslot.name]: await run(USERS_PER_SECOND * seconds) });
  },
};
