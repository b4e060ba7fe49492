import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import {
  Problem,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  type ProblemCode,
} from '../common/problem/index.js';

const CODE_OF_REASON = new Map<string, ProblemCode>([
  ['HPE_HEADER_OVERFLOW', 'headers-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
]);

/**
 * Answers what Node's HTTP parser refuses or has waited for long enough: there is no request yet to answer to, only a
 * connection. It ends with the answer, whatever its client does.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  logger: Pick<Logger, 'info'>,
): void {
  const { code: reason = '' } = error;
  const isAboutHttp = reason.startsWith('HPE_') || CODE_OF_REASON.has(reason);
  // What is left are connections that broke, and TLS that did not come about.
  if (!isAboutHttp || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(CODE_OF_REASON.get(reason) ?? 'malformed-request');
  const requestId = randomUUID();
  logger.info({ requestId, reason, status: problem.status }, 'refused early');
  const body = JSON.stringify(problemDocument(problem, { path: '/', requestId, language: 'en' }));
  socket.write(
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
  socket.destroySoon();
}
