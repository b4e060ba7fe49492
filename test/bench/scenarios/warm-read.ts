import { generateKeyPairSync } from 'node:crypto';

import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { PEERS, type PeerProgram } from '../peers.js';
import { ownUser } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import { answersOf, expectSameBody } from '../same-answer.js';

/** The maximum number of sessions of a user. */
const SESSIONS = 100;
/** Longer than for a server that has run before. */
const WARM_UP_SECONDS = 4;
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
    await stage.stop(keyslot);
    const variables = {
      BENCH_USER: answer.body,
      BENCH_HEADERS: JSON.stringify(answer.headers),
      BENCH_SIGNING_KEY: newSigningKey(),
    };
    const tokens = new Map<PeerProgram, { first: string; file: string }>();
    for (const peer of ALL) {
      const own = peer.hasOwnSessions ? await stage.seedPeer(peer, SESSIONS, variables) : headers;
      tokens.set(peer, { first: own[0]!, file: stage.writeRequests(own.map(ownUser)) });
    }
    /** A new process for each measurement: two of one program differ in speed for as long as they run. */
    const measureNew = async (peer: PeerProgram): Promise<Measurement> => {
      const { first, file } = tokens.get(peer)!;
      const server = await stage.start(peer, variables);
      const bodyBytes = await expectSameBody(server, first, answer.body);
      const load = { file, order: 'cycle', connections, seconds } as const;
      await warmUp(server, load, WARM_UP_SECONDS);
      const measurement = await measure(server, load);
      await stage.stop(server);
      return { ...measurement, bodyBytes };
    };
    return async (round) => {
      const measured = new Map<PeerProgram, Measurement>();
      for (const peer of round % 2 === 0 ? ORDER : ORDER.toReversed()) {
        measured.set(peer, await measureNew(peer));
      }
      return Object.fromEntries(ALL.map((peer) => [peer.name, measured.get(peer)!]));
    };
  },
};

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
