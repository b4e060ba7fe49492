import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { routeOptionsOf } from '../common/http/index.js';

type Headers = Readonly<Record<string, string>>;

const DENY_ALL = "default-src 'none'; frame-ancestors 'none'";

/**
 * Helmet's headers that also matter for responses that are not pages. The others protect only pages: docs/security.md,
 * requirement 83, has the sources.
 */
const FOR_DATA = ['referrer-policy', 'strict-transport-security', 'x-content-type-options'];

/** Headers of responses that are sent before routing. They depend on neither a route nor a setting. */
export const EARLY_HEADERS: Headers = {
  'content-security-policy': DENY_ALL,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Adds the security headers to every response (OWASP REST Security Cheat Sheet). */
export function addSecurityHeaders(server: FastifyInstance, isHttps: boolean): void {
  const forPages = helmetHeaders(isHttps);
  // Names and values, because `reply.headers` would list the names for each response.
  const headersOfRoute = new Map<unknown, readonly (readonly [string, string])[]>();
  server.addHook('onRequest', (request, reply, done) => {
    // Fastify creates one config object per route, so it can be the key.
    const { config } = request.routeOptions;
    let headers = headersOfRoute.get(config);
    if (headers === undefined) {
      headers = Object.entries(headersOf(config, forPages));
      headersOfRoute.set(config, headers);
    }
    for (const [name, value] of headers) {
      void reply.header(name, value);
    }
    void reply.header('x-request-id', request.id);
    done();
  });
}

/** Runs Helmet once, because its headers are the same for every response. */
function helmetHeaders(isHttps: boolean): Headers {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  const setHeaders = helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: isHttps ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  setHeaders(answer.req, answer, () => undefined);
  return answer.getHeaders() as Headers;
}

/** A route with its own content security policy is a page. A route may set another Cache-Control. */
function headersOf(config: unknown, forPages: Headers): Headers {
  const { contentSecurityPolicy } = routeOptionsOf(config);
  const headers =
    contentSecurityPolicy === undefined
      ? Object.fromEntries(Object.entries(forPages).filter(([name]) => FOR_DATA.includes(name)))
      : forPages;
  return {
    ...headers,
    'content-security-policy': contentSecurityPolicy ?? DENY_ALL,
    'cache-control': 'no-store',
  };
}
