import { fastify } from 'fastify';

import { runPeer, user, variable } from './peer.js';

/** The baseline with every header that Keyslot sends: measures the cost of the headers. */
await runPeer({
  listen: async () => {
    const answer = user();
    const headers = JSON.parse(variable('BENCH_HEADERS')) as Record<string, string>;
    const app = fastify({ logger: false });
    app.addHook('onRequest', (_, reply, done) => {
      void reply.headers(headers);
      done();
    });
    app.get('/api/user', () => answer);
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
});
