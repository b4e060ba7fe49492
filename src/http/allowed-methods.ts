import type { FastifyInstance } from 'fastify';
import { METHODS } from 'node:http';

import { routeOptionsOf, type RouteOptions } from '../common/http/index.js';
import { Problem } from '../common/problem/index.js';
import { FORMAT_OF_PATH } from './oauth-errors.js';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  errorFormat: RouteOptions['errorFormat'];
}

/** Lets routes for any method (`@All()`) serve every method that Node can parse. CONNECT has no path: see `refuseConnect`. */
export function supportEveryMethod(server: FastifyInstance): void {
  METHODS.filter(
    (method) => method !== 'CONNECT' && !server.supportedMethods.includes(method),
  ).forEach((method) => server.addHttpMethod(method, { hasBody: true }));
}

/** Answers 405 with `Allow` (RFC 9110 section 15.5.6) when the path has routes, but none for the method of the request. */
export function refuseUnsupportedMethods(server: FastifyInstance): void {
  const paths = new Map<string, KnownPath>();
  server.addHook('onRoute', ({ url, method, config }) => {
    const known: KnownPath = paths.get(url) ?? {
      pattern: patternOf(url),
      methods: new Set<string>(),
      errorFormat: undefined,
    };
    known.errorFormat ??= routeOptionsOf(config).errorFormat;
    [method].flat().forEach((name) => known.methods.add(name));
    paths.set(url, known);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const known = request.is404 ? pathsLike(request.url, paths) : [];
    if (known.length === 0) {
      done();
      return;
    }
    const allowed = new Set(known.flatMap(({ methods }) => [...methods]));
    const format = known.find(({ errorFormat }) => errorFormat)?.errorFormat;
    if (format) {
      FORMAT_OF_PATH.set(request, format);
    }
    void reply.header('Allow', [...allowed].sort().join(', '));
    done(new Problem('method-not-allowed'));
  });
}

function pathsLike(url: string, paths: ReadonlyMap<string, KnownPath>): readonly KnownPath[] {
  const path = url.split('?', 1)[0] ?? '';
  return [...paths.values()].filter(({ pattern }) => pattern.test(path));
}

/** A path in a form that the router does not accept does not match here either, so the response is 404. */
function patternOf(route: string): RegExp {
  const literal = route.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/:[^/]+/g, '[^/]+').replaceAll('*', '.*')}$`);
}
