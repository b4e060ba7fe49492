import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';

import { Problem } from '../common/problem/index.js';

/**
 * Refuses what Node lets through although a proxy in front may read it in another way: two `Host` headers (RFC 9112
 * section 3.2), and a transfer coding besides `chunked`, which nobody here would undo (section 6.1).
 */
export function refuseAmbiguousRequests(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (isAmbiguous(request.raw)) {
      void reply.header('Connection', 'close');
      done(new Problem('malformed-request'));
    } else {
      done();
    }
  });
}

function isAmbiguous({ headers, rawHeaders }: IncomingMessage): boolean {
  const hosts = rawHeaders.filter(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'host',
  );
  const coding = headers['transfer-encoding'];
  return hosts.length > 1 || (coding !== undefined && coding.trim().toLowerCase() !== 'chunked');
}
