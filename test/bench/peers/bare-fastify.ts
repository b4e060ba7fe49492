import { fastify } from 'fastify';

import { runPeer, user } from './peer.js';

/** The baseline: one route, without logger or hooks. */
await runPeer({
  listen: async () => {
    const answer = user();
    const app = fastify({ logger: false });
    app.get('/api/user', () => answer);
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
});
