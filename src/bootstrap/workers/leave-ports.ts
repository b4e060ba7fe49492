import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

import { managementListenerOf, openConnectionsOf, type OpenConnections } from '../../http/index.js';

/** A connection that is idle for longer will hardly get a request at the moment at which it is closed. */
const MAX_IDLE_MS = 5000;

/** The undocumented property that Node sets on a socket: the current response. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/**
 * Accepts no more connections, and closes each open one with its next response. A client then opens a new connection, which
 * another worker accepts. To close idle connections at once, as a stopping instance does, would fail requests that are on
 * their way.
 *
 * @returns when all connections are closed, or after `MAX_IDLE_MS`
 */
export async function leavePorts(server: FastifyInstance): Promise<void> {
  const management = managementListenerOf(server);
  const left = [leave(server.server, openConnectionsOf(server))];
  if (management) {
    left.push(leave(management.listener, management.connections));
  }
  await Promise.all(left);
}

async function leave(listener: Server, connections: OpenConnections): Promise<void> {
  listener.prependListener('request', (_: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false;
  });
  for (const { _httpMessage: response } of connections as Iterable<HttpSocket>) {
    if (response) {
      response.shouldKeepAlive = false;
    }
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MAX_IDLE_MS);
    // `close` of an HTTP server would also close the idle connections.
    NetServer.prototype.close.call(listener, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
