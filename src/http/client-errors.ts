import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';

import {
  Problem,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  type ProblemCode,
} from '../common/problem/index.js';
import type { CrossOriginRules } from './cors.js';
import { isRefused } from './request-heads.js';
import { EARLY_HEADERS } from './security-headers.js';

const CODE_OF_REASON = new Map<string, ProblemCode>([
  ['HPE_HEADER_OVERFLOW', 'headers-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
]);

/**
 * Answers parse errors and timeouts of Node's HTTP parser. There is no request object at that point, only a socket, so the
 * response is written by hand and the connection is closed after it.
 */
export function answerClientError(
  error: NodeJS.ErrnoException & { readonly rawPacket?: unknown },
  socket: Socket,
  { logger, crossOrigin, publicPath }: Answering,
): void {
  if (isRefused(socket)) {
    return; // the last response is already on its way; the error is about bytes that follow the refused request
  }
  const { code: reason = '' } = error;
  const isHttpError = reason.startsWith('HPE_') || CODE_OF_REASON.has(reason);
  // The other errors are broken connections and failed TLS handshakes.
  if (!isHttpError || !socket.writable) {
    socket.destroy();
    return;
  }
  answerAndClose(socket, new Problem(CODE_OF_REASON.get(reason) ?? 'malformed-request'), {
    reason,
    logger,
    ...(publicPath === undefined ? {} : { publicPath }),
    fields: { ...crossOrigin?.unparsedHeaders(error.rawPacket) },
  });
}

/** Refuses CONNECT, because Keyslot is not a proxy. By default Node closes the connection without a response. */
export function refuseConnect({ server }: FastifyInstance, logger: Pick<Logger, 'info'>): void {
  server.on('connect', (_, socket) => {
    // Node has removed its own error listener.
    socket.on('error', () => socket.destroy());
    answerAndClose(socket, new Problem('method-not-allowed'), {
      reason: 'CONNECT',
      logger,
      fields: { Allow: '' },
    });
  });
}

interface Answering {
  readonly logger: Pick<Logger, 'info'>;
  /** Absent: no page of another origin may read the response. */
  readonly crossOrigin?: CrossOriginRules;
  /** Prefix of the paths in the response. */
  readonly publicPath?: string;
}

interface Context {
  readonly reason: string;
  readonly logger: Pick<Logger, 'info'>;
  readonly publicPath?: string;
  readonly fields: Readonly<Record<string, string>>;
}

function answerAndClose(
  socket: Duplex,
  problem: Problem,
  { reason, logger, publicPath, fields }: Context,
): void {
  const requestId = randomUUID();
  logger.info({ requestId, reason, status: problem.status }, 'refused early');
  const context = { path: '/', requestId, language: 'en', publicPath } as const;
  const body = JSON.stringify(problemDocument(problem, context));
  socket.write(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      ...Object.entries({ ...EARLY_HEADERS, ...fields }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
      '',
      body,
    ].join('\r\n'),
  );
  socket.end(() => socket.destroy());
}
