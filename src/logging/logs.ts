import { pino, type Logger } from 'pino';

import { isoTime } from './iso-time.js';
import { LogOutput } from './log-output.js';
import { RequestLog } from './request-log.js';

export interface Logs {
  readonly logger: Logger;
  readonly requestLog: RequestLog;
}

const output = new LogOutput();

/** Structured logs on standard output. */
export function createLogs(level: string): Logs {
  // Defence in depth for values from libraries. Our own secrets hide themselves (common/secret).
  const redact = {
    paths: ['authorization', 'cookie', 'password', 'token', 'headers', '*.headers', '*.password'],
    censor: '[hidden]',
  };
  const logger = pino(
    {
      level,
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact,
    },
    output.immediate,
  );
  return { logger, requestLog: new RequestLog(logger, output.buffered) };
}
