import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { runPeer, user } from './peer.js';

/** The maximum speed of Node's HTTP server: the body is prepared before the request arrives. */
await runPeer({
  listen: async () => {
    const body = Buffer.from(JSON.stringify(user()));
    const headers = {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
    };
    const server = createServer((_, response) => response.writeHead(200, headers).end(body));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
});
