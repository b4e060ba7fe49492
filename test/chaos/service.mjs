// A service of another team that checks tokens with keyslot/connect. It answers like the routes of an instance that the fault suite
// uses: `GET /api/user`, and `GET /api/users/<id>` with the permission `users:read`.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { loadSettings } from '../../dist/config/index.js';
import { connectKeyslot, KeyslotError } from '../../dist/guard/index.js';

/** Longer than an answer takes, and shorter than a fault test waits for the exit. */
const CUT_OFF_MS = 10_000;

const { redis, jwt } = loadSettings();
// Also during a failover, a restarted service tries until it has joined.
const keyslot = await connectKeyslot({ redis, audience: jwt.audience, joinTimeoutMs: 60_000 });

const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    (error) => {
      const { status, headers } = error instanceof KeyslotError ? error : { status: 500 };
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
    },
  );
});

async function answer(request) {
  const principal = await keyslot.authenticate(request);
  if (request.url.startsWith('/api/users/')) {
    await keyslot.requirePermissions(principal, 'users:read');
  }
  return JSON.stringify({ id: principal.userId });
}

server.listen(process.env.PORT, '127.0.0.1');
await once(server, 'listening');
process.once('SIGTERM', () => {
  server.close(() => keyslot.close());
  // Also connections that have not sent a request: they do not count as idle, and would keep the process for a minute.
  setTimeout(() => server.closeAllConnections(), CUT_OFF_MS).unref();
});
console.log(`  API         http://127.0.0.1:${server.address().port}/api `);
