import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';

/**
 * One line for each answer. The route is logged as it was declared and never as it was called, so that nothing from a
 * query or a path gets into the log.
 */
export class RequestLog extends LogController {
  constructor() {
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
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
    };
    if (error) {
      request.log.warn({ ...fields, err: error }, 'not answered');
    } else {
      request.log.info(fields, 'answered');
    }
  }
}
