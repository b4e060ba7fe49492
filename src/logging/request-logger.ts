import type { FastifyBaseLogger } from 'fastify';
import type { Bindings, ChildLoggerOptions, LogFn } from 'pino';

/**
 * What a request logs with. To make a child of a logger costs as much as a line, and most requests log nothing by
 * themselves: so it is made when one does.
 */
class RequestLogger {
  private made: FastifyBaseLogger | undefined;

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
    // logs nothing, by its name
  }

  private get own(): FastifyBaseLogger {
    return (this.made ??= this.parent.child(this.bindings));
  }
}

/** Fastify's `childLoggerFactory`. */
export function requestLogger(parent: FastifyBaseLogger, bindings: Bindings): FastifyBaseLogger {
  return new RequestLogger(parent, bindings);
}
