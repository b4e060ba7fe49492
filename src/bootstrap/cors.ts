import cors from '@fastify/cors';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** How long a browser need not ask again. Chromium keeps it for two hours at most. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins, and of no others, call the API (OWASP HTML5 Security Cheat Sheet). Tokens travel in a header
 * that the page sets, so no browser is ever told to send what it keeps for us: credentials stay off.
 *
 * @param origins compared letter by letter; none: no answer has a header about it
 */
export async function allowOrigins(
  app: NestFastifyApplication,
  origins: readonly string[],
): Promise<void> {
  if (origins.length === 0) {
    return;
  }
  await app.register(cors, {
    // A function, so that every answer has `Vary: Origin`, and one to a stranger nothing else.
    origin: (origin, done) =>
      done(null, origin !== undefined && origins.includes(origin) ? origin : false),
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Accept-Language'],
    exposedHeaders: ['Location', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
    maxAge: PREFLIGHT_SECONDS,
    // It would answer with a text of its own.
    strictPreflight: false,
  });
}
