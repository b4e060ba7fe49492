import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { PEERS, type PeerProgram } from '../peers.js';
import { ownUser } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { answersOf, expectSameBody } from '../same-answer.js';

/** The maximum number of sessions of a user. */
const SESSIONS = 100;
const ALL: readonly PeerProgram[] = Object.values(PEERS);
/** Subjects with a direct comparison run one after the other, because the speed of a machine drifts. */
const CLOSE: readonly PeerProgram[] = [PEERS.bareFastify, PEERS.keyslot, PEERS.keyslotUnguarded];
const ORDER = [...CLOSE, ...ALL.filter((peer) => !CLOSE.includes(peer))];

export const warmRead: Scenario = {
  name: 'warm-read',
  about: `GET /api/user with ${SESSIONS} tokens of one user that the server has seen before.`,
  baseline: PEERS.bareFastify.name,
  prepare: async ([stage], { seconds, connections }) => {
    const sessions = await stage.seedUsers(1, SESSIONS);
    const headers = sessions.map(({ header }) => header);
    const keyslot = await stage.startKeyslot();
    const answer = await answersOf(keyslot, headers[0]!);
    const variables = { BENCH_USER: answer.body, BENCH_HEADERS: JSON.stringify(answer.headers) };
    const subjects = new Map<
      PeerProgram,
      { server: ServerProcess; file: string; bodyBytes: number }
    >();
    for (const peer of ALL) {
      const own = peer.hasOwnSessions ? await stage.seedPeer(peer, SESSIONS, variables) : headers;
      const server = peer === PEERS.keyslot ? keyslot : await stage.start(peer, variables);
      const bodyBytes = await expectSameBody(server, own[0]!, answer.body);
      subjects.set(peer, { server, file: stage.writeRequests(own.map(ownUser)), bodyBytes });
    }
    return async (round) => {
      const measured = new Map<PeerProgram, Measurement>();
      for (const peer of round % 2 === 0 ? ORDER : ORDER.toReversed()) {
        const { server, file, bodyBytes } = subjects.get(peer)!;
        const load = { file, order: 'cycle', connections, seconds } as const;
        await warmUp(server, load);
        measured.set(peer, { ...(await measure(server, load)), bodyBytes });
      }
      return Object.fromEntries(ALL.map((peer) => [peer.name, measured.get(peer)!]));
    };
  },
};
