import type { FastifyBaseLogger } from 'fastify';
import type { Bindings, ChildLoggerOptions, LogFn } from 'pino';

/**
 * The logger of a request. It creates its child logger lazily, because that costs as much as a log line, and most requests
 * log nothing themselves.
 */
class RequestLogger {
  private childLogger: FastifyBaseLogger | undefined;

  constructor(
    private readonly parent: FastifyBaseLogger,
    private readonly bindings: Bindings,
  ) {}

  get level(): FastifyBaseLogger['level'] {
    return this.own.level;
  }

  child(bindings: Bindings, options?: ChildLoggerOptions): FastifyBaseLogger {
    return this.own.child(bindings, options);
  }

  fatal(...line: Parameters<LogFn>): void {
    this.own.fatal(...line);
  }

  error(...line: Parameters<LogFn>): void {
    this.own.error(...line);
  }

  warn(...line: Parameters<LogFn>): void {
    this.own.warn(...line);
  }

  info(...line: Parameters<LogFn>): void {
    this.own.info(...line);
  }

  debug(...line: Parameters<LogFn>): void {
    this.own.debug(...line);
  }

  trace(...line: Parameters<LogFn>): void {
    this.own.trace(...line);
  }

  silent(): void {
    // pino's method for the level `silent`
  }

  private get own(): FastifyBaseLogger {
    return (this.childLogger ??= this.parent.child(this.bindings));
  }
}

/** Fastify's `childLoggerFactory`. */
export function requestLogger(parent: FastifyBaseLogger, bindings: Bindings): FastifyBaseLogger {
  return new RequestLogger(parent, bindings);
}
