import type { FastifyInstance } from 'fastify';
import { createServer, type IncomingMessage, type ServerOptions } from 'node:http';
import type { Logger } from 'pino';

import { hideInternals } from '../common/internals/index.js';
import { Problem } from '../common/problem/index.js';
import type { Settings } from '../config/index.js';
import { answerClientError } from './client-errors.js';

const METRICS = '/metrics';
/** What the management port serves, and nothing else. */
const ROUTES = ['/health/live', '/health/ready', METRICS];

interface Management {
  readonly settings: Pick<Settings, 'isProduction' | 'management'>;
  /** As for the public port. */
  readonly limits: ServerOptions;
  readonly logger: Pick<Logger, 'info'>;
}

/**
 * What tells of the inside has a port of its own, for probes and Prometheus: plain HTTP, to be reached from the private
 * side only. In production the public port has no metrics, and of the health only whether it is well; in development it has
 * all of it too. The management port opens before the public one and closes after it, so that an instance can be watched
 * while it starts and drains.
 */
export function separateManagement(
  server: FastifyInstance,
  { settings: { isProduction, management }, limits, logger }: Management,
): void {
  const isPrivate = new WeakSet<IncomingMessage>();
  server.addHook('onRequest', (request, _, done) => {
    // As the route was declared: the address may be written in another way.
    const route = request.routeOptions.url ?? '';
    if (isPrivate.has(request.raw)) {
      done(ROUTES.includes(route) ? undefined : new Problem('not-found'));
      return;
    }
    if (isProduction) {
      hideInternals(request);
    }
    done(isProduction && route === METRICS ? new Problem('not-found') : undefined);
  });
  if (!management) {
    return;
  }
  const listener = createServer(limits, (request, response) => {
    isPrivate.add(request);
    server.routing(request, response);
  });
  listener.on('clientError', (error, socket) =>
    // What an HTTP server accepts are sockets.
    answerClientError(error, socket as Parameters<typeof answerClientError>[1], logger),
  );
  server.addHook('onReady', (done) => {
    listener.once('error', done).listen(management.port, management.host, () => {
      listener.off('error', done);
      done();
    });
  });
  server.addHook('onClose', (_, done) => {
    listener.close(() => done());
    listener.closeAllConnections();
  });
}
