import { measureOnce } from '../measure.js';
import type { Measurement } from '../measures.js';
import { PEERS, type PeerProgram } from '../peers.js';
import { ownUser, type LoadRequest } from '../request-list.js';
import { answersOf } from '../same-answer.js';
import type { Scenario } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { rotated } from '../statistics.js';

const SESSIONS_PER_USER = 20;
/** If a server is faster, the measurement ends early. */
const USERS_PER_SECOND = 100;
/** For the compilation of the code, before the first round. */
const WARM_UP_USERS = 100;
const ORDER: readonly PeerProgram[] = [
  PEERS.nestBoilerplate,
  PEERS.nestBoilerplateKeyObject,
  PEERS.expressSession,
  PEERS.keyslot,
];

export const coldToken: Scenario = {
  name: 'cold-token',
  about: 'GET /api/user, each request with the token of a session that the server has not seen.',
  baseline: PEERS.nestBoilerplate.name,
  prepare: async ([stage], { seconds, connections }) => {
    const [session] = await stage.seedUsers(1, 1);
    const keyslot = await stage.startKeyslot();
    const variables = { BENCH_USER: (await answersOf(keyslot, session!.header)).body };
    const fresh = async (peer: PeerProgram, users: number): Promise<LoadRequest[]> => {
      const headers = peer.hasOwnSessions
        ? await stage.seedPeer(peer, users * SESSIONS_PER_USER, variables)
        : (await stage.seedUsers(users, SESSIONS_PER_USER)).map(({ header }) => header);
      return headers.map(ownUser);
    };
    const servers = new Map<PeerProgram, ServerProcess>();
    for (const peer of ORDER) {
      const server = peer === PEERS.keyslot ? keyslot : await stage.start(peer, variables);
      servers.set(peer, server);
      await measureOnce(stage, server, await fresh(peer, WARM_UP_USERS), { seconds, connections });
    }
    return async (round) => {
      const measured = new Map<PeerProgram, Measurement>();
      for (const peer of rotated(ORDER, round)) {
        const requests = await fresh(peer, USERS_PER_SECOND * seconds);
        const server = servers.get(peer)!;
        measured.set(peer, await measureOnce(stage, server, requests, { seconds, connections }));
      }
      return Object.fromEntries(ORDER.map((peer) => [peer.name, measured.get(peer)!]));
    };
  },
};
