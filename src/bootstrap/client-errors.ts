import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { Problem, PROBLEM_MEDIA_TYPE, problemDocument } from '../common/problem/index.js';

/** Answers what Node's HTTP parser refuses: there is no request yet to answer to, only a connection. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  logger: Pick<Logger, 'info'>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(
    error.code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'malformed-request',
  );
  const requestId = randomUUID();
  logger.info({ requestId, reason: error.code, status: problem.status }, 'refused early');
  const body = JSON.stringify(problemDocument(problem, { path: '/', requestId, language: 'en' }));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
