import type { FastifyInstance, FastifyRequest } from 'fastify';

import { RequestState } from '../common/http/index.js';
import type { RequestSpan, Spans } from '../tracing/index.js';
import { routeTemplate, UNKNOWN_ROUTE } from './route-template.js';

const SPAN = new RequestState<RequestSpan>('span');

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
  server.decorateRequest(SPAN.key);
  server.addHook('onRequest', (request, _reply, done) => {
    const route = routeTemplate(request.routeOptions.url ?? UNKNOWN_ROUTE);
    const span = spans.ofRequest(`${request.method} ${route}`, request.headers, {
      'http.request.method': request.method,
      'http.route': route,
      'url.scheme': request.protocol,
      'keyslot.request_id': request.id,
    });
    SPAN.set(request, span);
    span.run(done);
  });
  server.addHook('onResponse', (request, reply, done) => {
    SPAN.get(request)?.end(reply.statusCode);
    done();
  });
  server.addHook('onRequestAbort', (request, done) => {
    SPAN.get(request)?.end();
    done();
  });
  return (request) => SPAN.get(request)?.traceId;
}
