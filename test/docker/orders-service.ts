import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { connectKeyslot, KeyslotError, type Keyslot } from '../../src/guard/index.js';
import type { Production } from './production.js';

/** A service with the guard, with the Redis user that docker/make-secrets.sh has created for it. */
export class OrdersService {
  private constructor(
    private readonly keyslot: Keyslot,
    private readonly server: Server,
  ) {}

  static async start(production: Production): Promise<OrdersService> {
    const keyslot = await connectKeyslot({
      redis: {
        nodes: production.redisPorts.map((port) => `127.0.0.1:${port}`),
        username: 'orders',
        password: production.secret('redis-orders-password').trim(),
        tls: { ca: production.secret('redis-ca') },
      },
      audience: 'orders',
    });
    const server = createServer((request, response) => {
      void keyslot.authenticate(request).then(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"orders":[]}'),
        (error: unknown) =>
          response.writeHead(error instanceof KeyslotError ? error.status : 500).end(),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OrdersService(keyslot, server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.keyslot.close();
  }
}
