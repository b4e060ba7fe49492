import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { readFileSync } from 'node:fs';

import { routeConfig } from '../common/http/index.js';
import { createApiDocument, type ApiDocumentOptions } from './api-document.js';

const TEXT_WITHOUT_CHARSET = /^(?:text\/[\w-]+|application\/(?:json|javascript))$/;
const DOCUMENT = 'docs-json';
const SESSION_SCRIPT = 'docs/swagger-ui-session.js';
/** Allows the files of Swagger UI, and its inline styles. */
const PAGE_CONFIG = routeConfig({
  contentSecurityPolicy:
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
});
/** On narrow screens, the description of a tag gets its own line. The server URL and the table of responses do not overflow. */
const NARROW_SCREEN_CSS = `@media (max-width: 640px) {
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui .opblock-tag small { flex: 1 0 100%; order: 3; padding: 0 0 5px; }
  .swagger-ui .wrapper { padding: 0 10px; }
  .swagger-ui .schemes-server-container, .swagger-ui .servers, .swagger-ui .servers select { min-width: 0; max-width: 100%; }
  .swagger-ui .response-col_links { min-width: 0; }
}`;

/** Serves Swagger UI at `/docs`, and the OpenAPI document at `/docs-json`. */
export function setUpApiDocs(app: NestFastifyApplication, options: ApiDocumentOptions): void {
  const server = app.getHttpAdapter().getInstance();
  completeRoutes(server);
  serveSessionScript(server);
  SwaggerModule.setup('docs', app, () => createApiDocument(app, options), {
    jsonDocumentUrl: DOCUMENT,
    raw: ['json'],
    customSiteTitle: options.title ?? 'Keyslot API',
    customJs: `./${SESSION_SCRIPT}`,
    customCss: NARROW_SCREEN_CSS,
    swaggerOptions: {
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
    },
  });
}

/** Serves two URLs, because the page references the script relative to itself, and is at `/docs` and `/docs/`. */
function serveSessionScript(server: FastifyInstance): void {
  const script = readFileSync(new URL('./browser/swagger-ui-session.js', import.meta.url), 'utf8');
  for (const url of [`/${SESSION_SCRIPT}`, `/docs/${SESSION_SCRIPT}`]) {
    server.get(url, (_, reply) => {
      void reply.type('application/javascript').send(script);
    });
  }
}

/** Adds the route options and the missing charset to the routes that @nestjs/swagger declares. */
function completeRoutes(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/docs')) {
      return;
    }
    if (route.url !== `/${DOCUMENT}`) {
      route.config = { ...route.config, ...PAGE_CONFIG };
    }
    route.onSend = (_, reply, payload, done) => {
      const type = reply.getHeader('content-type');
      if (typeof type === 'string' && TEXT_WITHOUT_CHARSET.test(type)) {
        void reply.header('content-type', `${type}; charset=utf-8`);
      }
      done(null, payload);
    };
  });
}
