import type { FastifyServerOptions } from 'fastify';
import { randomUUID } from 'node:crypto';

import type { Settings } from '../config/index.js';
import { requestLogger, type Logs } from '../logging/index.js';
import { answerClientError } from './client-errors.js';
import type { CrossOriginRules } from './cors.js';
import {
  HEADERS_TIMEOUT_MS,
  MAX_BODY_BYTES,
  REQUEST_TIMEOUT_MS,
  SERVER_LIMITS,
  STALLED_CONNECTION_TIMEOUT_MS,
} from './limits.js';
import { earlyProblems } from './problem.filter.js';
import { secureContext } from './tls.js';

/** Options that Fastify needs at construction, before any plugin. */
export function serverOptions(
  { tls, trustedProxies, publicPath }: Settings['http'],
  { logger: loggerInstance, requestLog }: Logs,
  crossOrigin: CrossOriginRules,
): FastifyServerOptions {
  const early = { logger: loggerInstance, crossOrigin, publicPath };
  return {
    loggerInstance,
    logController: requestLog,
    childLoggerFactory: requestLogger,
    genReqId: () => randomUUID(),
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: STALLED_CONNECTION_TIMEOUT_MS,
    // While the instance drains, open connections are served and idle ones are closed.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: earlyProblems(crossOrigin),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, early),
    ...(tls
      ? {
          https: {
            ...secureContext(tls.cert, tls.key.reveal()),
            handshakeTimeout: HEADERS_TIMEOUT_MS,
            ...SERVER_LIMITS,
          },
        }
      : { http: SERVER_LIMITS }),
  };
}
