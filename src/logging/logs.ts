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
  // Secrets hide themselves (see common/secret); this is a second net, for values that come from libraries.
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
    output.atOnce,
  );
  return { logger, requestLog: new RequestLog(logger, output.gathered) };
}
