import type { FastifyInstance } from 'fastify';

import { Problem } from '../common/problem/index.js';

/** RFC 8259 section 8.1 knows one charset. Anything else is refused instead of being read as if it were UTF-8. */
const JSON_IN_UTF8 = /^application\/json(?:;\s*charset=(?:utf-8|"utf-8"))?$/i;
/** Deeper than any body of ours, and shallow enough for code that walks a body recursively. */
const MOST_LEVELS = 16;
/** More members and items than any body of ours has, and few enough for code that has something to say to each. */
const MOST_VALUES = 1000;

/** JSON and nothing else; an empty body with a JSON content type, as many clients send it, is no body. */
export function parseJsonOnly(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const isEncoded = request.headers['content-encoding'] !== undefined;
    if (isEncoded || !JSON_IN_UTF8.test(request.headers['content-type'] ?? '')) {
      done(new Problem('unsupported-media-type'));
    } else if (body.length === 0) {
      done(null, undefined);
    } else {
      void parse(request, body as string, (error, value: unknown) => {
        const isFine = !error && isWithin({ values: MOST_VALUES }, MOST_LEVELS, value);
        done(isFine ? null : new Problem('malformed-request', { cause: error }), value);
      });
    }
  });
}

function isWithin(left: { values: number }, levels: number, value: unknown): boolean {
  left.values -= 1;
  if (left.values < 0 || typeof value !== 'object' || value === null) {
    return left.values >= 0;
  }
  return levels > 0 && Object.values(value).every((member) => isWithin(left, levels - 1, member));
}
