import type { FastifyInstance, onResponseHookHandler } from 'fastify';

import { DurationTally, type MetricsRegistry, type Series } from '../metrics/index.js';
import { routeTemplate, UNKNOWN_ROUTE } from './route-template.js';

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** A label needs a fixed set of values, and a client can send any method to an unknown path. */
const KNOWN_METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/**
 * Counts and times every response by method, route and status. The tally of a route is resolved when the route is declared,
 * so a request only looks up its status.
 */
export function measureRequests(server: FastifyInstance, registry: MetricsRegistry): void {
  const routes = new Map<string, RouteTally>();
  const tallyOf = (method: string, route: string): RouteTally => {
    const key = `${method} ${route}`;
    const known = routes.get(key) ?? new RouteTally(method, route);
    routes.set(key, known);
    return known;
  };
  server.addHook('onRoute', (route) => {
    const template = routeTemplate(route.url);
    const byMethod = new Map(
      [route.method].flat().map((method) => [method, tallyOf(method, template)]),
    );
    const only = byMethod.size === 1 ? [...byMethod.values()][0] : undefined;
    const measure: onResponseHookHandler = (request, reply, done) => {
      (only ?? byMethod.get(request.method))?.observe(reply.statusCode, reply.elapsedTime);
      done();
    };
    route.onResponse = [route.onResponse ?? [], measure].flat();
  });
  server.addHook('onResponse', (request, reply, done) => {
    if (request.is404) {
      const method = KNOWN_METHODS.has(request.method) ? request.method : '_OTHER';
      tallyOf(method, UNKNOWN_ROUTE).observe(reply.statusCode, reply.elapsedTime);
    }
    done();
  });
  registry.histogram(
    'keyslot_http_request_duration_seconds',
    'Duration from the head of a request to the end of its response.',
    () => [...routes.values()].flatMap((route) => route.series),
  );
}

class RouteTally {
  private readonly byStatus = new Map<number, DurationTally>();

  constructor(
    private readonly method: string,
    private readonly route: string,
  ) {}

  observe(status: number, ms: number): void {
    let tally = this.byStatus.get(status);
    if (!tally) {
      tally = new DurationTally(BUCKETS_SECONDS);
      this.byStatus.set(status, tally);
    }
    tally.observe(ms);
  }

  get series(): Series<DurationTally>[] {
    const { method, route } = this;
    return Array.from(this.byStatus, ([status, tally]) => [
      { method, route, status: String(status) },
      tally,
    ]);
  }
}
