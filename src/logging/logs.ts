import { pino, type Logger } from 'pino';

import { LogOutput } from './log-output.js';
import { RequestLog } from './request-log.js';

export interface Logs {
  readonly logger: Logger;
  readonly requestLog: RequestLog;
}

const output = new LogOutput();

/** Structured logs on standard output. */
export function createLogs(level: string): Logs {
  const format = {
    level,
    timestamp: isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Secrets hide themselves (see common/secret); this is a second net, for values that come from libraries.
  const redact = {
    paths: ['authorization', 'cookie', 'password', 'token', 'headers', '*.headers', '*.password'],
    censor: '[hidden]',
  };
  return {
    logger: pino({ ...format, redact }, output.atOnce),
    // Its fields are a closed list: there is nothing to hide in them.
    requestLog: new RequestLog(pino(format, output.gathered)),
  };
}

let lastTime = 0;
let lastText = '';

/** Rendered once for each millisecond. */
function isoTime(): string {
  const time = Date.now();
  if (time !== lastTime) {
    lastTime = time;
    lastText = `,"time":"${new Date(time).toISOString()}"`;
  }
  return lastText;
}
