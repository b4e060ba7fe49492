import helmet from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const NOTHING = "default-src 'none'; frame-ancestors 'none'";
/** Swagger UI's own files, and its styles, which it writes into the page. */
const SWAGGER_UI =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PROBLEM_PAGES = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** What every answer carries (OWASP REST Security Cheat Sheet). */
export async function addSecurityHeaders(
  app: NestFastifyApplication,
  isHttps: boolean,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: isHttps ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      // As the route was declared: the address may be written in another way.
      const path = request.routeOptions.url ?? '';
      void reply.header('Content-Security-Policy', policyFor(path));
      void reply.header('X-Request-Id', request.id);
      if (path.startsWith('/api/')) {
        void reply.header('Cache-Control', 'no-store');
      }
      done();
    });
}

function policyFor(path: string): string {
  if (path === '/docs' || path.startsWith('/docs/')) {
    return SWAGGER_UI;
  }
  return path.startsWith('/problems') ? PROBLEM_PAGES : NOTHING;
}
