import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

type Headers = Readonly<Record<string, string>>;

const NOTHING = "default-src 'none'; frame-ancestors 'none'";
/** Swagger UI's own files, and its styles, which it writes into the page. */
const SWAGGER_UI =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PROBLEM_PAGES = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

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
  const headersOfRoute = new Map<string, Headers>();
  server.addHook('onRequest', (request, reply, done) => {
    // As the route was declared: the address may be written in another way.
    const path = request.routeOptions.url ?? '';
    let headers = headersOfRoute.get(path);
    if (headers === undefined) {
      headers = headersOf(path, forPages);
      headersOfRoute.set(path, headers);
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

function headersOf(path: string, forPages: Headers): Headers {
  const policy = { 'content-security-policy': policyFor(path) };
  // Also below a global prefix.
  if (!path.includes('/api/')) {
    return { ...forPages, ...policy };
  }
  const forData = Object.entries(forPages).filter(([name]) => FOR_DATA.includes(name));
  return { ...Object.fromEntries(forData), ...policy, 'cache-control': 'no-store' };
}

function policyFor(path: string): string {
  if (path === '/docs' || path.startsWith('/docs/')) {
    return SWAGGER_UI;
  }
  return path.startsWith('/problems') ? PROBLEM_PAGES : NOTHING;
}
