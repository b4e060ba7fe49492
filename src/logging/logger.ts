import { pino, type Logger } from 'pino';

/**
 * Structured logs on standard output. Secrets hide themselves (see common/secret); the paths below are a second net for
 * values that come from libraries.
 */
export function createLogger(level: string): Logger {
  return pino({
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['authorization', 'cookie', 'password', 'token', 'headers', '*.headers', '*.password'],
      censor: '[hidden]',
    },
  });
}
