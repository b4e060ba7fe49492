import type { FastifyInstance, FastifyRequest } from 'fastify';

import { RequestState } from '../common/http/index.js';
import type { RequestSpan, Spans } from '../tracing/index.js';
import { routeTemplate, UNKNOWN_ROUTE } from './route-template.js';

const SPAN = new RequestState<RequestSpan>('span');

/**
 * Creates a span for every request, within the caller's trace (W3C Trace Context). It has the route template and never the
 * URL, which may hold personal data.
 *
 * @returns a function that returns the trace id of a request
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
