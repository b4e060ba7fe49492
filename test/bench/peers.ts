import { resolve } from 'node:path';

const COMPILED = resolve('.cache/suites/test/bench');

export const SEED_KEYSLOT = `${COMPILED}/seed-keyslot.js`;

export interface PeerProgram {
  readonly name: string;
  readonly program: string;
  /** Whether it has its own sessions. If not, it receives the tokens of Keyslot. */
  readonly hasOwnSessions: boolean;
}

const peer = (name: string, hasOwnSessions: boolean): PeerProgram => ({
  name,
  program: `${COMPILED}/peers/${name}.js`,
  hasOwnSessions,
});

export const PEERS = {
  bareHttp: peer('bare-http', false),
  bareFastify: peer('bare-fastify', false),
  bareFastifySameHeaders: peer('bare-fastify-same-headers', false),
  bareNest: peer('bare-nest', false),
  keyslot: { name: 'keyslot', program: resolve('dist/main.js'), hasOwnSessions: false },
  keyslotUnguarded: peer('keyslot-unguarded', false),
  keyslotService: peer('keyslot-service', false),
  nestBoilerplate: peer('nest-boilerplate', true),
  nestBoilerplateKeyObject: peer('nest-boilerplate-key-object', true),
  expressSession: peer('express-session', true),
  statelessJwt: peer('stateless-jwt', true),
  statelessJwtEs256: peer('stateless-jwt-es256', true),
} as const satisfies Record<string, PeerProgram>;

/** Not a peer, but a proxy in front of a service, with and without forward auth. */
export const NGINX = peer('nginx', false);

/** Not a peer, but the part of a login that determines its duration. */
export const HASHING_ONLY = peer('hashing-only', false);
