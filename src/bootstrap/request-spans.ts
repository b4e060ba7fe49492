import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { RequestSpan, Spans } from '../tracing/index.js';
import { routeTemplate, UNKNOWN_ROUTE } from './route-template.js';

/**
 * A span for every request, of the trace that its caller names (W3C Trace Context). It tells the route and never the
 * address, because that may hold what is somebody's.
 *
 * @returns the trace that a request belongs to
 */
export function traceRequests(
  server: FastifyInstance,
  spans: Spans,
): (request: FastifyRequest) => string | undefined {
  const underWay = new WeakMap<FastifyRequest, RequestSpan>();
  server.addHook('onRequest', (request, _reply, done) => {
    const route = routeTemplate(request.routeOptions.url ?? UNKNOWN_ROUTE);
    const span = spans.ofRequest(`${request.method} ${route}`, request.headers, {
      'http.request.method': request.method,
      'http.route': route,
      'url.scheme': request.protocol,
      'keyslot.request_id': request.id,
    });
    underWay.set(request, span);
    span.run(done);
  });
  server.addHook('onResponse', (request, reply, done) => {
    underWay.get(request)?.end(reply.statusCode);
    done();
  });
  server.addHook('onRequestAbort', (request, done) => {
    underWay.get(request)?.end();
    done();
  });
  return (request) => underWay.get(request)?.traceId;
}
