import jwt, { type FastifyJWTOptions } from '@fastify/jwt';
import { fastify, type FastifyInstance } from 'fastify';

import { runPeer, SESSION_SECONDS, user, type UserBody } from './peer.js';

type Secret = FastifyJWTOptions['secret'];

const CACHED_TOKENS = 10_000;

/** Self-contained tokens, verified once and then cached. They cannot be revoked. @param secret also decides the algorithm */
export async function runStateless(secret: Secret): Promise<void> {
  await runPeer({
    listen: async () => (await createStateless(secret)).listen({ port: 0, host: '127.0.0.1' }),
    seed: async (count) => signTokens(await createStateless(secret), count, user()),
  });
}

/** Exported for the test that counts the verifications. */
export async function createStateless(secret: Secret): Promise<FastifyInstance> {
  const app = fastify({ logger: false });
  await app.register(jwt, { secret, verify: { cache: CACHED_TOKENS } });
  app.addHook('onRequest', async (request) => request.jwtVerify());
  app.get('/api/user', (request) => (request.user as { user: UserBody }).user);
  return app;
}

/** @returns one header line for each token */
export async function signTokens(
  app: FastifyInstance,
  count: number,
  content: UserBody,
): Promise<string[]> {
  await app.ready();
  return Array.from({ length: count }, (_, index) => {
    const claims = { jti: String(index), user: content };
    return `Authorization: Bearer ${app.jwt.sign(claims, { expiresIn: `${SESSION_SECONDS}s` })}`;
  });
}
