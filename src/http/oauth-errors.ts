import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  OAuthError,
  RequestState,
  routeOptionsOf,
  type OAuthErrorCode,
  type RouteOptions,
} from '../common/http/index.js';
import { problemDocument, type Problem } from '../common/problem/index.js';
import { logFailure, problemOf } from './problem-of.js';

type ErrorFormat = NonNullable<RouteOptions['errorFormat']>;

/** For a 405: the error format of the routes of the same path. */
export const FORMAT_OF_PATH = new RequestState<ErrorFormat>('errorFormat');

const CODE_OF_STATUS = new Map<number, OAuthErrorCode>([
  [401, 'invalid_client'],
  [403, 'unauthorized_client'],
  [429, 'temporarily_unavailable'],
  [500, 'server_error'],
  [503, 'temporarily_unavailable'],
]);
/** RFC 6749 section 5.2 allows printable ASCII except these two characters. */
const NOT_IN_DESCRIPTION = /[^ -~]|["\\]/g;

/** The error format of the request's route. */
export function formatOf(request: FastifyRequest): ErrorFormat {
  const { errorFormat } = routeOptionsOf(request.routeOptions.config);
  return errorFormat ?? FORMAT_OF_PATH.get(request) ?? 'problem';
}

/** Answers an error as `{error, error_description}` (RFC 6749 section 5.2), in English, because the description is ASCII. */
export function sendOAuthError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code, status, description, retryAfterSeconds } =
    error instanceof OAuthError ? fromOAuthError(error) : fromProblem(problemOf(error), request);
  if (status === 401 && !reply.hasHeader('WWW-Authenticate')) {
    void reply.header('WWW-Authenticate', 'Basic realm="keyslot"');
  }
  if (retryAfterSeconds !== undefined) {
    void reply.header('Retry-After', String(retryAfterSeconds));
  }
  const body = { error: code, error_description: description.replace(NOT_IN_DESCRIPTION, "'") };
  void reply
    .status(status)
    .header('X-Request-Id', request.id)
    .header('Content-Type', 'application/json')
    .header('Cache-Control', 'no-store')
    // Bytes bypass the response serializer of the route.
    .send(Buffer.from(JSON.stringify(body)));
}

interface Answer {
  readonly code: OAuthErrorCode;
  readonly status: number;
  readonly description: string;
  readonly retryAfterSeconds?: number | undefined;
}

function fromOAuthError({ code, status, description }: OAuthError): Answer {
  return { code, status, description };
}

function fromProblem(problem: Problem, request: FastifyRequest): Answer {
  logFailure(problem, request);
  const { status, retryAfterSeconds } = problem;
  const document = problemDocument(problem, { path: '', requestId: request.id, language: 'en' });
  const errors = (document.errors ?? []).map(
    ({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`,
  );
  return {
    code: CODE_OF_STATUS.get(status) ?? 'invalid_request',
    status,
    description: [document.detail, ...errors].filter(Boolean).join(' '),
    retryAfterSeconds,
  };
}
