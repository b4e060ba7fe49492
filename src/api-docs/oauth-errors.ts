import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';

import { OAUTH_ERROR_CODES, type OAuthErrorCode } from '../common/http/index.js';
import type { DocumentedOperation } from './operations.js';

/** The body of an error response of a route with `@OAuthErrors()` (RFC 6749 section 5.2). */
export class OAuthErrorResponse {
  @ApiProperty({ enum: OAUTH_ERROR_CODES, example: 'invalid_request' })
  error!: OAuthErrorCode;

  @ApiPropertyOptional({ description: 'For developers, in English.' })
  error_description?: string;
}

interface Described {
  readonly description: string;
  readonly codes: readonly OAuthErrorCode[];
  readonly header?: 'WWW-Authenticate' | 'Retry-After';
}

const UNAVAILABLE = { codes: ['temporarily_unavailable'], header: 'Retry-After' } as const;
const RESPONSES: Readonly<Record<number, Described>> = {
  400: {
    description: 'The request is not valid.',
    codes: ['invalid_request', 'unsupported_grant_type', 'invalid_scope', 'invalid_target'],
  },
  401: {
    description: 'The client is unknown, or its credentials are wrong.',
    codes: ['invalid_client'],
    header: 'WWW-Authenticate',
  },
  408: { description: 'The request did not arrive in time.', codes: ['invalid_request'] },
  413: { description: 'The body is too large.', codes: ['invalid_request'] },
  415: { description: 'The body is not a form.', codes: ['invalid_request'] },
  429: { description: 'There were too many attempts.', ...UNAVAILABLE },
  431: { description: 'The headers are too large.', codes: ['invalid_request'] },
  500: { description: 'Internal server error.', codes: ['server_error'] },
  503: { description: 'Not available at the moment. It is safe to retry.', ...UNAVAILABLE },
};

/** Documents the errors of a route with `@OAuthErrors()`. Existing documentation of the route is kept. */
export function documentOAuthErrors({ operation }: DocumentedOperation): void {
  const responses = operation.responses as Record<string, unknown>;
  for (const [status, { description, codes, header }] of Object.entries(RESPONSES)) {
    responses[status] ??= {
      description,
      ...(header ? { headers: { [header]: { schema: { type: 'string' } } } } : {}),
      content: {
        'application/json': {
          schema: { $ref: getSchemaPath(OAuthErrorResponse) },
          examples: Object.fromEntries(codes.map((error) => [error, { value: { error } }])),
        },
      },
    };
  }
}
