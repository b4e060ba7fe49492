import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';

const TEXT_WITHOUT_CHARSET = /^(?:text\/[\w-]+|application\/(?:json|javascript))$/;

import { Roles } from '../users/index.js';

const DESCRIPTION = `Log in for a signed JWT that can be taken back at once.

**Try it:** 1. *Register a user*. 2. *Log in*. 3. Copy \`access_token\` into **Authorize**. 4. Call anything.

Errors are problems as in RFC 9457, in English or Chinese (\`Accept-Language\`); each \`type\` is a page that explains it.`;

/** Swagger UI at `/docs`, the OpenAPI document at `/docs-json`. */
export function setUpApiDocs(app: NestFastifyApplication): void {
  nameCharset(app.getHttpAdapter().getInstance());
  SwaggerModule.setup('docs', app, () => createApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'Keyslot API',
    swaggerOptions: {
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
    },
  });
}

/** Swagger's own routes leave it to the browser to guess. */
function nameCharset(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/docs')) {
      return;
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

function createApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Keyslot')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This instance')
    .addTag('Users', 'Begin here: anyone may register.')
    .addTag('Login', 'Get tokens, and give them back.')
    .addTag('Own user', 'Everything about the user whose token is sent.')
    .addTag('Own sessions', 'Where you are logged in, and how to end that.')
    .addTag('Administration', 'For users whose role gives them the permission.')
    .addTag('Keys', 'For services that verify tokens themselves.')
    .addTag('Health', 'For whatever restarts instances and sends them requests.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    // As the guard does: denied by default.
    .addSecurityRequirements('bearer');
  const taken = new Set<string>();
  const document = SwaggerModule.createDocument(app, builder.build(), {
    // Ours all differ. A module that was added may have a method of the same name.
    operationIdFactory: (controller, method) => {
      const id = taken.has(method) ? `${controller}.${method}` : method;
      taken.add(id);
      return id;
    },
  });
  nameRoles(document, app.get(Roles).names);
  return document;
}

/** Which roles there are is known when the application is put together, and not to a decorator. */
function nameRoles(document: OpenAPIObject, names: readonly string[]): void {
  const schema = document.components?.schemas?.['AdministerUserRequest'];
  const roles = schema && 'properties' in schema ? schema.properties?.['roles'] : undefined;
  if (roles && 'items' in roles && roles.items) {
    Object.assign(roles.items, { enum: names });
  }
}
