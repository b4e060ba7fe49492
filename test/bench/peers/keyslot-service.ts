import { fastify } from 'fastify';

import { loadSettings } from '../../../src/config/index.js';
import { connectKeyslot, KeyslotError } from '../../../src/guard/index.js';
import { redisNodes, runPeer, user } from './peer.js';

/** A service of another team: one Fastify route behind `keyslot/connect`. Its tokens can be revoked. */
await runPeer({
  listen: async () => {
    const { redis, jwt } = loadSettings(process.env, 'no-such-file');
    const keyslot = await connectKeyslot({
      redis: { ...redis, nodes: redisNodes() },
      audience: jwt.audience,
    });
    const answer = user();
    const app = fastify({ logger: false });
    app.addHook('onRequest', async (request, reply) => {
      try {
        await keyslot.authenticate(request.raw);
      } catch (error) {
        const { status, headers } =
          error instanceof KeyslotError ? error : { status: 500, headers: {} };
        await reply.status(status).headers(headers).send();
      }
    });
    app.get('/api/user', () => answer);
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
});
