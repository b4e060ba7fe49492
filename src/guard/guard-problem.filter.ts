import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  bearerChallenge,
  languageOf,
  Problem,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
} from '../common/problem/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';

/**
 * Responds with a problem (RFC 9457) when the guards reject a request or cannot decide. For an application without
 * `ProblemFilter`, which does the same. Other errors are left to the filters of the application.
 */
@Catch(Problem, NotConfirmedError, RedisUnavailableError)
export class GuardProblemFilter implements ExceptionFilter {
  catch(error: Problem | NotConfirmedError | RedisUnavailableError, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem =
      error instanceof Problem ? error : new Problem('store-unavailable', { cause: error });
    const language = languageOf(request.headers['accept-language']);
    const document = problemDocument(problem, {
      path: request.url.split('?', 1)[0] ?? '/',
      requestId: request.id,
      language,
    });
    const challenge = bearerChallenge(problem.code);
    const retryAfter = problem.retryAfterSeconds;
    void http
      .getResponse<FastifyReply>()
      .status(problem.status)
      .headers({
        'Content-Type': PROBLEM_MEDIA_TYPE,
        'Content-Language': language,
        'Cache-Control': 'no-store',
        ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
        ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
      })
      .send(Buffer.from(JSON.stringify(document)));
  }
}
