import { PEER_SECRET } from './peer.js';
import { runStateless } from './stateless.js';

/** Tokens with HS256, the default of @fastify/jwt. */
await runStateless(PEER_SECRET);
