import { Logger, type ArgumentsHost } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

import { answerGuardError, isGuardError } from '../guard/index.js';

const logger = new Logger('Messages');

/**
 * Answers an error of a handler on a transport other than HTTP. Errors of the guards have the code of their problem. Nest's own
 * filters would answer all others, but a filter that catches every error replaces them, so this does the same as they do.
 *
 * @returns the answer to a message of a microservice
 * @throws the error of a GraphQL resolver
 */
export function answerOnOtherTransport(
  error: unknown,
  host: ArgumentsHost,
): Observable<never> | undefined {
  if (isGuardError(error)) {
    return answerGuardError(error, host);
  }
  if (host.getType() !== 'rpc') {
    throw error;
  }
  return throwError(() => rpcError(error));
}

/** As BaseRpcExceptionFilter of `@nestjs/microservices`. */
function rpcError(error: unknown): object {
  // A RpcException.
  const given = (error as { getError?: () => unknown } | null)?.getError?.();
  if (given === undefined) {
    logger.error(error);
    return { status: 'error', message: 'Internal server error' };
  }
  return typeof given === 'object' && given !== null ? given : { status: 'error', message: given };
}
