import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingHttpHeaders } from 'node:http';

import type { Problem } from '../common/problem/index.js';
import { answerGuardError } from './answer-guard-error.js';
import { asProblem, GUARD_ERRORS, type GuardError } from './guard-problem.js';
import { problemResponse } from './problem-response.js';

interface HttpRequest {
  /** Only of Fastify. */
  readonly id?: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Answers when the guards refuse a call or cannot decide. HTTP, on Express and on Fastify: a problem (RFC 9457). GraphQL: an
 * error whose `extensions` have the code of the problem and the status. Messages: see `answerGuardError`.
 * For an application without `ProblemFilter`, which does the same on HTTP. Other errors are left to the filters of the
 * application.
 */
@Catch(...GUARD_ERRORS)
export class GuardProblemFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: GuardError, host: ArgumentsHost): unknown {
    return host.getType() === 'http'
      ? this.respond(asProblem(error), host)
      : answerGuardError(error, host);
  }

  private respond(problem: Problem, host: ArgumentsHost): void {
    const { httpAdapter: adapter } = this.adapterHost;
    const request = host.getArgByIndex<HttpRequest>(0);
    const response = host.getArgByIndex<unknown>(1);
    const { status, headers, body } = problemResponse(problem, {
      headers: request.headers,
      url: adapter.getRequestUrl(request) as string,
      id: request.id,
    });
    for (const [name, value] of Object.entries(headers)) {
      adapter.setHeader(response, name, value);
    }
    // A text: the adapter of Express converts bytes to JSON.
    adapter.reply(response, body, status);
  }
}
