import type { FastifyInstance } from 'fastify';

import { Problem } from '../common/problem/index.js';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers with the methods that a path has (RFC 9110 section 15.5.6), where it has another one than was asked for. */
export function refuseOtherMethods(server: FastifyInstance): void {
  const paths = new Map<string, KnownPath>();
  server.addHook('onRoute', ({ url, method }) => {
    const known = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    [method].flat().forEach((name) => known.methods.add(name));
    paths.set(url, known);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const allowed = request.is404 ? methodsOf(request.url, paths) : [];
    if (allowed.length === 0) {
      done();
      return;
    }
    void reply.header('Allow', allowed.join(', '));
    done(new Problem('method-not-allowed'));
  });
}

function methodsOf(url: string, paths: ReadonlyMap<string, KnownPath>): readonly string[] {
  const path = url.split('?', 1)[0] ?? '';
  const known = [...paths.values()].filter(({ pattern }) => pattern.test(path));
  return [...new Set(known.flatMap(({ methods }) => [...methods]))].sort();
}

/** A path that is written in another way than the router's is not found, and that is true enough. */
function patternOf(route: string): RegExp {
  const literal = route.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/:[^/]+/g, '[^/]+').replaceAll('*', '.*')}$`);
}
