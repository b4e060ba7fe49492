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
 * Answers what Node's HTTP parser refuses or has waited for long enough: there is no request yet to answer to, only a
 * connection. It ends with the answer, whatever its client does.
 */
export function answerClientError(
  error: NodeJS.ErrnoException & { readonly rawPacket?: unknown },
  socket: Socket,
  { logger, crossOrigin, publicPath }: Answering,
): void {
  if (isRefused(socket)) {
    return; // what could not be read is what came behind
  }
  const { code: reason = '' } = error;
  const isAboutHttp = reason.startsWith('HPE_') || CODE_OF_REASON.has(reason);
  // What is left are connections that broke, and TLS that did not come about.
  if (!isAboutHttp || !socket.writable) {
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

/** This is no proxy. Node makes no request of CONNECT, and would close the connection without an answer. */
export function refuseConnect({ server }: FastifyInstance, logger: Pick<Logger, 'info'>): void {
  server.on('connect', (_, socket) => {
    // Node has taken its own listeners away.
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
  /** Absent: no page of another origin is to read the answer. */
  readonly crossOrigin?: CrossOriginRules;
  /** In front of the paths in the answer. */
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
