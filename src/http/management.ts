import type { FastifyInstance } from 'fastify';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { HIDES_DETAILS } from '../common/http/index.js';
import { Problem } from '../common/problem/index.js';
import type { Settings } from '../config/index.js';
import { normalizeAddresses } from './client-addresses.js';
import { answerClientError } from './client-errors.js';
import { limitConnections, type OpenConnections } from './connection-limits.js';
import { SERVER_LIMITS, STALLED_CONNECTION_TIMEOUT_MS } from './limits.js';

const METRICS = '/metrics';
/** The only routes that the management port serves. */
export const MANAGEMENT_ROUTES: readonly string[] = ['/health/live', '/health/ready', METRICS];

interface Management {
  readonly settings: Pick<Settings, 'http' | 'isProduction' | 'management'>;
  readonly logger: Pick<Logger, 'info'>;
}

/**
 * Metrics and health details have their own port, for probes and Prometheus. It is plain HTTP and must be reachable from the
 * private network only. In production, the public port serves no metrics and only the status of the health routes. In
 * development it serves all details. The management port opens before the public port and closes after it, so that an
 * instance can be monitored while it starts and drains.
 */
export function serveManagementPort(server: FastifyInstance, options: Management): void {
  const { isProduction, management } = options.settings;
  if (isProduction) {
    hideFromPublic(server);
  }
  if (management) {
    const listener = listen(server, management, options);
    const connections = limitConnections(listener);
    normalizeAddresses(listener, options.settings.http.trustedProxies.length > 0);
    server.decorate(LISTENER, { listener, connections });
  }
}

const LISTENER = Symbol('managementListener');

interface Listener {
  readonly listener: Server;
  readonly connections: OpenConnections;
}

/** The server of the management port, if there is one, and its open connections, always up to date. */
export function managementListenerOf(server: FastifyInstance): Listener | undefined {
  return (server as { [LISTENER]?: Listener })[LISTENER];
}

const viaManagementPort = new WeakSet<IncomingMessage>();

/** Adds hooks to these routes only, so that other routes pay nothing. */
function hideFromPublic(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (!MANAGEMENT_ROUTES.includes(route.url)) {
      return;
    }
    route.onRequest = (request, _, done) => {
      if (viaManagementPort.has(request.raw)) {
        done();
        return;
      }
      HIDES_DETAILS.set(request, true);
      done(route.url === METRICS ? new Problem('not-found') : undefined);
    };
  });
}

function listen(
  server: FastifyInstance,
  { host, port }: NonNullable<Settings['management']>,
  { logger }: Omit<Management, 'settings'>,
): Server {
  const listener = createServer(SERVER_LIMITS, (request, response) => {
    viaManagementPort.add(request);
    server.routing(request, response);
  });
  listener.setTimeout(STALLED_CONNECTION_TIMEOUT_MS);
  listener.on('clientError', (error, socket) =>
    // Typed as Duplex, but an HTTP server always passes a socket.
    answerClientError(error, socket as Socket, { logger }),
  );
  server.addHook('onRequest', (request, _, done) => {
    const isOtherRoute =
      viaManagementPort.has(request.raw) &&
      !MANAGEMENT_ROUTES.includes(request.routeOptions.url ?? '');
    done(isOtherRoute ? new Problem('not-found') : undefined);
  });
  server.addHook('onReady', (done) => {
    listener.once('error', done).listen(port, host, () => {
      listener.off('error', done);
      done();
    });
  });
  server.addHook('onClose', (_, done) => {
    listener.close(() => done());
    listener.closeAllConnections();
  });
  return listener;
}
