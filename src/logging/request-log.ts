import type { FastifyReply, FastifyRequest } from 'fastify';
import { createRequire } from 'node:module';
import type { DestinationStream, Logger } from 'pino';

import { accessLogLine } from './access-log-line.js';

/** Loaded from the Fastify of Nest's adapter, which refuses classes of another copy of Fastify. */
const { LogController } = createRequire(
  createRequire(import.meta.url).resolve('@nestjs/platform-fastify'),
)('fastify') as typeof import('fastify');

/**
 * Writes one line per response. It logs the declared route and never the URL, so that no data of a path or query reaches the
 * log.
 */
export class RequestLog extends LogController {
  /** Set while tracing is on. */
  traceIdOf: ((request: FastifyRequest) => string | undefined) | undefined;

  /**
   * @param logger for failures without a response. It adds the worker by itself
   * @param answers destination of the lines of responses
   */
  constructor(
    private readonly logger: Logger,
    private readonly answers: DestinationStream,
    private readonly worker: number | undefined,
  ) {
    super({ requestIdLogLabel: 'requestId' });
  }

  override incomingRequest(): void {
    // The line of the response is sufficient.
  }

  override routeNotFound(): void {
    // The line of the response is sufficient.
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
      this.answers.write(accessLogLine(fields, this.worker));
    }
  }
}
