import type { FastifyInstance } from 'fastify';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { HIDES_INTERNALS } from '../common/http/index.js';
import { Problem } from '../common/problem/index.js';
import type { Settings } from '../config/index.js';
import { normalizeAddresses } from './client-addresses.js';
import { answerClientError } from './client-errors.js';
import { limitConnections } from './connection-limits.js';
import { SERVER_LIMITS, STALLED_CONNECTION_TIMEOUT_MS } from './limits.js';

const METRICS = '/metrics';
/** What the management port serves, and nothing else. */
export const MANAGEMENT_ROUTES: readonly string[] = ['/health/live', '/health/ready', METRICS];

interface Management {
  readonly settings: Pick<Settings, 'http' | 'isProduction' | 'management'>;
  readonly logger: Pick<Logger, 'info'>;
}

/**
 * What tells of the inside has a port of its own, for probes and Prometheus: plain HTTP, to be reached from the private
 * side only. In production the public port has no metrics, and of the health only whether it is well; in development it has
 * all of it too. The management port opens before the public one and closes after it, so that an instance can be watched
 * while it starts and drains.
 */
export function separateManagement(server: FastifyInstance, options: Management): void {
  const { isProduction, management } = options.settings;
  if (isProduction) {
    hideFromPublic(server);
  }
  if (management) {
    const listener = listen(server, management, options);
    normalizeAddresses(listener, options.settings.http.trustedProxies.length > 0);
  }
}

const onPrivateSide = new WeakSet<IncomingMessage>();

/** By hooks of the routes themselves, which cost the others nothing. */
function hideFromPublic(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (!MANAGEMENT_ROUTES.includes(route.url)) {
      return;
    }
    route.onRequest = (request, _, done) => {
      if (onPrivateSide.has(request.raw)) {
        done();
        return;
      }
      HIDES_INTERNALS.set(request, true);
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
    onPrivateSide.add(request);
    server.routing(request, response);
  });
  listener.setTimeout(STALLED_CONNECTION_TIMEOUT_MS);
  limitConnections(listener);
  listener.on('clientError', (error, socket) =>
    // What an HTTP server accepts are sockets.
    answerClientError(error, socket as Socket, { logger }),
  );
  server.addHook('onRequest', (request, _, done) => {
    const isElsewhere =
      onPrivateSide.has(request.raw) && !MANAGEMENT_ROUTES.includes(request.routeOptions.url ?? '');
    done(isElsewhere ? new Problem('not-found') : undefined);
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
