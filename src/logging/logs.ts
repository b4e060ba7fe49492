import { hostname } from 'node:os';
import { pino, type Logger } from 'pino';

import { isoTime } from './iso-time.js';
import { LogOutput } from './log-output.js';
import { RequestLog } from './request-log.js';

export interface Logs {
  readonly logger: Logger;
  readonly requestLog: RequestLog;
}

const output = new LogOutput();

/**
 * Structured logs on standard output.
 *
 * @param worker number of the worker, which each line has. Absent: the only process that writes to standard output
 */
export function createLogs(level: string, worker?: number): Logs {
  if (worker !== undefined) {
    output.share();
  }
  // Defence in depth for values from libraries. Our own secrets hide themselves (common/secret).
  const redact = {
    paths: ['authorization', 'cookie', 'password', 'token', 'headers', '*.headers', '*.password'],
    censor: '[hidden]',
  };
  const logger = pino(
    {
      level,
      base: { pid: process.pid, hostname: hostname(), worker },
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact,
    },
    output.immediate,
  );
  return { logger, requestLog: new RequestLog(logger, output.buffered, worker) };
}
