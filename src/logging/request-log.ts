import type { FastifyReply, FastifyRequest } from 'fastify';
import { createRequire } from 'node:module';
import type { DestinationStream, Logger } from 'pino';

import { answerLine } from './answer-line.js';

/** From the Fastify that Nest's adapter pins. An application may have another copy, whose classes that one refuses. */
const { LogController } = createRequire(
  createRequire(import.meta.url).resolve('@nestjs/platform-fastify'),
)('fastify') as typeof import('fastify');

/**
 * One line for each answer. The route is logged as it was declared and never as it was called, so that nothing from a
 * query or a path gets into the log.
 */
export class RequestLog extends LogController {
  /** Set while requests are traced. */
  traceIdOf: ((request: FastifyRequest) => string | undefined) | undefined;

  /** @param answers where the lines go that tell of an answer; those that tell of none go through the logger */
  constructor(
    private readonly logger: Logger,
    private readonly answers: DestinationStream,
  ) {
    super({ requestIdLogLabel: 'requestId' });
  }

  override incomingRequest(): void {
    // The line for the answer says it all.
  }

  override routeNotFound(): void {
    // So does it for an unknown address.
  }

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const fields = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
      trace_id: this.traceIdOf?.(request),
    };
    if (error) {
      this.logger.warn({ ...fields, err: error }, 'not answered');
    } else if (this.logger.isLevelEnabled('info')) {
      this.answers.write(answerLine(fields));
    }
  }
}
