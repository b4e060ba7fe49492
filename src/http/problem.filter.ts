import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  BEARER_CHALLENGE,
  bearerChallenge,
  languageOf,
  Problem,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  statusDocument,
  type ProblemContext,
  type ProblemDocument,
} from '../common/problem/index.js';
import { bearerToken } from '../guard/index.js';
import type { CrossOriginRules } from './cors.js';
import { MAX_DISCARDED_BYTES } from './limits.js';
import { isRaisedByFramework, moduleProblem } from './module-exception.js';
import { formatOf, sendOAuthError } from './oauth-errors.js';
import { answerOnOtherTransport } from './other-transports.js';
import { isInCatalogue, logFailure, problemOf } from './problem-of.js';
import { pipeFailures } from './pipe-failures.js';
import { publicPathOf } from './public-path.js';
import { EARLY_HEADERS } from './security-headers.js';

/** Converts any thrown error into a response in the error format of the route. The cause is logged and never sent. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') {
      return answerOnOtherTransport(error, host);
    }
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    keepConnection(request, http.getResponse<FastifyReply>());
    const send = formatOf(request) === 'oauth' ? sendOAuthError : sendProblem;
    send(error, request, http.getResponse<FastifyReply>());
    return undefined;
  }
}

/**
 * Fastify closes the connection after the response to a refused body. What arrives of the body later makes the operating system
 * reset the connection, and a proxy or a client can lose the response. So the connection is kept if the rest of the body is
 * small: Node reads and discards it.
 */
function keepConnection({ headers }: FastifyRequest, reply: FastifyReply): void {
  const isKept = !/\bclose\b/i.test(headers.connection ?? '');
  if (isKept && Number(headers['content-length']) <= MAX_DISCARDED_BYTES) {
    void reply.removeHeader('connection');
  }
}

/** Answers errors that occur before routing, and therefore before any hook. */
export function earlyProblems(
  crossOrigin: CrossOriginRules,
): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    void reply.headers({ ...EARLY_HEADERS, ...crossOrigin.earlyHeaders(request.headers.origin) });
    const preflight = crossOrigin.preflight(request);
    if (preflight) {
      void reply
        .status(204)
        .headers({ ...preflight, 'x-request-id': request.id })
        .send();
    } else {
      sendProblem(error, request, reply);
    }
    request.log.info({ method: request.method, status: reply.statusCode }, 'refused early');
  };
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const language = languageOf(request.headers['accept-language']);
  const path = request.url.split('?', 1)[0] ?? '/';
  const publicPath = publicPathOf(reply.server);
  const context = { path, requestId: request.id, language, publicPath };
  const document = error instanceof HttpException ? exceptionDocument(error, context) : undefined;
  if (document !== undefined) {
    if (document.status >= 500) {
      request.log.error({ err: error }, 'failed');
    }
    if (document.status === 401 && !reply.hasHeader('WWW-Authenticate')) {
      void reply.header('WWW-Authenticate', BEARER_CHALLENGE);
    }
    // Without Content-Language: the text is in the language of the module that threw it.
    send(document, undefined, reply);
    return;
  }
  const problem = asMissingToken(problemOf(error), request);
  logFailure(problem, request);
  const challenge = bearerChallenge(problem.code);
  if (challenge !== undefined) {
    void reply.header('WWW-Authenticate', challenge);
  }
  if (problem.retryAfterSeconds !== undefined) {
    void reply.header('Retry-After', String(problem.retryAfterSeconds));
  }
  send(problemDocument(problem, context), language, reply);
}

/** A guard of another module may answer 401 without a token. RFC 6750 section 3.1 allows no error code in that case. */
function asMissingToken(problem: Problem, request: FastifyRequest): Problem {
  return problem.code === 'invalid-token' && bearerToken(request.raw).kind === 'none'
    ? new Problem('missing-token', problem.options)
    : problem;
}

function send(document: ProblemDocument, language: string | undefined, reply: FastifyReply): void {
  if (language !== undefined) {
    void reply.header('Content-Language', language);
  }
  void reply
    .status(document.status)
    .header('X-Request-Id', document.requestId)
    .header('Content-Type', PROBLEM_MEDIA_TYPE)
    .header('Cache-Control', 'no-store')
    // Bytes bypass the response serializer of the route.
    .send(Buffer.from(JSON.stringify(document)));
}

/** @returns undefined when `problemOf` maps it to a problem of the catalogue */
function exceptionDocument(
  exception: HttpException,
  context: ProblemContext,
): ProblemDocument | undefined {
  const status = exception.getStatus();
  if (pipeFailures(exception)) {
    return undefined;
  }
  const hasCode = isInCatalogue(status) || isRaisedByFramework(exception);
  return (
    moduleProblem(exception, context) ??
    (hasCode ? undefined : statusDocument(status, undefined, context))
  );
}
