import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { routeOptionsOf } from '../common/http/index.js';

type Headers = Readonly<Record<string, string>>;

const NOTHING = "default-src 'none'; frame-ancestors 'none'";

/** Of Helmet's headers, those that mean something for data and not only for pages. */
const FOR_DATA = [
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
];

/** Of what every answer carries, that which needs neither a route nor a setting: for those that come before either. */
export const EARLY_HEADERS: Headers = {
  'content-security-policy': NOTHING,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** What every answer carries (OWASP REST Security Cheat Sheet). */
export function addSecurityHeaders(server: FastifyInstance, isHttps: boolean): void {
  const forPages = helmetHeaders(isHttps);
  const headersOfRoute = new Map<unknown, Headers>();
  server.addHook('onRequest', (request, reply, done) => {
    // Fastify makes one config for each route.
    const { config } = request.routeOptions;
    let headers = headersOfRoute.get(config);
    if (headers === undefined) {
      headers = headersOf(config, forPages);
      headersOfRoute.set(config, headers);
    }
    void reply.headers(headers).header('x-request-id', request.id);
    done();
  });
}

/** Helmet's headers are the same for every answer, so it is asked once. */
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

/** @param config of a route, or of the handler of paths that have none */
function headersOf(config: { readonly url?: string } | undefined, forPages: Headers): Headers {
  const { contentSecurityPolicy = NOTHING } = routeOptionsOf(config);
  const policy = { 'content-security-policy': contentSecurityPolicy };
  // The path as it was declared: the address may be written in another way. Also below a global prefix.
  if (!config?.url?.includes('/api/')) {
    return { ...forPages, ...policy };
  }
  const forData = Object.entries(forPages).filter(([name]) => FOR_DATA.includes(name));
  return { ...Object.fromEntries(forData), ...policy, 'cache-control': 'no-store' };
}
