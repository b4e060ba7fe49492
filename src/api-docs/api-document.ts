import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { readFileSync } from 'node:fs';

import { ProblemResponse } from '../common/problem/index.js';
import { Roles } from '../common/authentication/index.js';
import type { ApiDocsOptions } from './api-docs.options.js';
import { documentProblems } from './documented-problems.js';
import { distinguishOperations, operationId } from './operation-ids.js';
import { markPermissions, documentPermissions } from './required-permissions.js';

const DESCRIPTION = `Log in for a signed JWT that can be revoked at once.

**Try it:** execute *Register a user*, then *Log in*. This page sends the token from then on. Call anything.

Errors are problems as in RFC 9457, in English or Chinese (\`Accept-Language\`); each \`type\` is a page that explains it.`;
const SECURITY_DESCRIPTION =
  'On this page, execute **Log in**: nothing needs to be pasted. To use another token, paste the `access_token` of a login ' +
  'without the word `Bearer`.';
const MIT = { name: 'MIT', url: 'https://opensource.org/license/mit' };

export interface ApiDocumentOptions extends ApiDocsOptions {
  /** Where clients reach the API, without a slash at the end. Absent: at the address of the document. */
  readonly publicUrl?: string | undefined;
  /** The path of it: `/keyslot`, or nothing. */
  readonly publicPath: string;
  /** Paths that are answered under any load. */
  readonly alwaysServed: readonly string[];
}

/** The OpenAPI document of all routes, also of those that an application adds. */
export function createApiDocument(
  app: NestFastifyApplication,
  options: ApiDocumentOptions,
): OpenAPIObject {
  markPermissions(app);
  const document = SwaggerModule.createDocument(app, description(options), {
    operationIdFactory: operationId,
    extraModels: [ProblemResponse],
  });
  documentPermissions(document);
  documentProblems(document, options);
  distinguishOperations(document);
  documentRoles(document, app.get(Roles).names);
  return document;
}

function description(options: ApiDocumentOptions): ReturnType<DocumentBuilder['build']> {
  const {
    publicUrl,
    title,
    version = keyslotVersion(),
    license = title ? undefined : MIT,
  } = options;
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title ?? 'Keyslot')
    .setDescription(options.description ?? DESCRIPTION)
    .setVersion(version)
    // A relative one is relative to where the document is: behind a proxy that takes a prefix away as well.
    .addServer(publicUrl ?? '.', publicUrl ? 'Public address' : 'Where this document is')
    .addTag('Users', 'Begin here: anyone may register.')
    .addTag('Login', 'Get tokens, and give them back.')
    .addTag('Own user', 'Everything about the user whose token is sent.')
    .addTag('Own sessions', 'Where you are logged in, and how to end that.')
    .addTag('Administration', 'For users whose role gives them the permission.')
    .addTag('Keys', 'For services that verify tokens themselves.')
    .addTag('Health', 'For whatever restarts instances and sends them requests.')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: SECURITY_DESCRIPTION,
    })
    // As the guard does: denied by default.
    .addSecurityRequirements('bearer')
    .build();
  return { ...config, info: { ...config.info, ...(license ? { license } : {}) } };
}

function keyslotVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Which roles there are is known when the application is put together, and not to a decorator. */
function documentRoles(document: OpenAPIObject, names: readonly string[]): void {
  const schema = document.components?.schemas?.['AdministerUserRequest'];
  const roles = schema && 'properties' in schema ? schema.properties?.['roles'] : undefined;
  if (roles && 'items' in roles && roles.items) {
    Object.assign(roles.items, { enum: names });
  }
}
