import jwt from '@fastify/jwt';
import { fastify, type FastifyInstance } from 'fastify';

import { PEER_SECRET, runPeer, SESSION_SECONDS, user, type UserBody } from './peer.js';

const CACHED_TOKENS = 10_000;

async function createApp(): Promise<FastifyInstance> {
  const app = fastify({ logger: false });
  await app.register(jwt, { secret: PEER_SECRET, verify: { cache: CACHED_TOKENS } });
  app.addHook('onRequest', async (request) => request.jwtVerify());
  app.get('/api/user', (request) => (request.user as { user: UserBody }).user);
  return app;
}

/** Self-contained tokens, verified once and then cached. They cannot be revoked. */
await runPeer({
  listen: async () => (await createApp()).listen({ port: 0, host: '127.0.0.1' }),
  seed: async (count) => {
    const app = await createApp();
    await app.ready();
    return Array.from({ length: count }, (_, index) => {
      const claims = { jti: String(index), user: user() };
      return `Authorization: Bearer ${app.jwt.sign(claims, { expiresIn: `${SESSION_SECONDS}s` })}`;
    });
  },
});
