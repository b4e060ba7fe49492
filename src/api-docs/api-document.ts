import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

import { ProblemResponse } from '../common/api-problems/index.js';
import { CLIENT_SECRET_SCHEME } from '../common/http/index.js';
import { KEYSLOT_VERSION } from '../common/version/index.js';
import type { ApiDocsOptions } from './api-docs.options.js';
import { documentProblems } from './documented-problems.js';
import { distinguishOperations, operationId } from './operation-ids.js';
import { OAuthErrorResponse } from './oauth-errors.js';
import { documentAnyMethodOnce } from './any-method.js';
import { describeDecorators, documentPermissions } from './documented-permissions.js';

const DESCRIPTION = `Log in to get a signed JWT that can be revoked immediately.

**Try it:** execute *Register a user*, then *Log in*. From then on, this page sends the token with every request.

Errors are problem documents (RFC 9457) in English or Chinese (\`Accept-Language\`). Each \`type\` links to an explanation.`;
const SECURITY_DESCRIPTION =
  'Execute **Log in** on this page to authorize it. To use another token, paste the `access_token` of a login ' +
  'without the word `Bearer`.';
const CLIENT_SECRET_DESCRIPTION =
  'The client id and the secret of a service account, for the routes of the group **OAuth**. They can be sent in the form as well.';
const MIT = { name: 'MIT', url: 'https://opensource.org/license/mit' };

export interface ApiDocumentOptions extends ApiDocsOptions {
  /** URL at which clients reach the API, without a trailing slash. Absent: the URL of the document. */
  readonly publicUrl?: string | undefined;
  /** Path of the public URL: `/keyslot`, or empty. */
  readonly publicPath: string;
  /** Paths that never answer `overloaded`. */
  readonly alwaysServed: readonly string[];
}

/** Creates the OpenAPI document of all routes, including those of an application. */
export function createApiDocument(
  app: NestFastifyApplication,
  options: ApiDocumentOptions,
): OpenAPIObject {
  describeDecorators(app);
  const document = SwaggerModule.createDocument(app, description(options), {
    operationIdFactory: operationId,
    extraModels: [ProblemResponse, OAuthErrorResponse],
  });
  documentAnyMethodOnce(document);
  documentPermissions(document);
  documentProblems(document, options);
  distinguishOperations(document);
  return document;
}

function description(options: ApiDocumentOptions): ReturnType<DocumentBuilder['build']> {
  const {
    publicUrl,
    title,
    version = KEYSLOT_VERSION,
    license = title ? undefined : MIT,
  } = options;
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title ?? 'Keyslot')
    .setDescription(options.description ?? DESCRIPTION)
    .setVersion(version)
    // A relative URL is resolved against the URL of the document, so it works behind a proxy that strips a prefix.
    .addServer(publicUrl ?? '.', publicUrl ? 'Public address' : 'Address of this document')
    .addTag('Users', 'Start here: register a user.')
    .addTag('Login', 'Get, refresh and revoke tokens.')
    .addTag('Own user', 'The user of the access token.')
    .addTag('Own sessions', 'List and end your sessions.')
    .addTag('Own factors', 'Authenticator applications, passkeys and recovery codes.')
    .addTag('Administration', 'For users with the required permissions.')
    .addTag('Cluster', 'The state of the cluster, for operators.')
    .addTag('Service accounts', 'For services that act for themselves.')
    .addTag('OAuth', 'For service accounts, with their own credentials.')
    .addTag('Forward auth', 'For proxies in front of other services.')
    .addTag(
      'Keys',
      'The public keys, for services that verify tokens themselves, and their rotation.',
    )
    .addTag('Health', 'For orchestrators, load balancers and monitoring.')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: SECURITY_DESCRIPTION,
    })
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: CLIENT_SECRET_DESCRIPTION },
      CLIENT_SECRET_SCHEME,
    )
    // The guard denies access by default, so every operation requires a token unless it says otherwise.
    .addSecurityRequirements('bearer')
    .build();
  return { ...config, info: { ...config.info, ...(license ? { license } : {}) } };
}
