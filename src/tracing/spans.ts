import type { IncomingHttpHeaders } from 'node:http';

/** What a span tells beside its name: names of OpenTelemetry's semantic conventions, values without anything of a user. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanDescription {
  readonly name: string;
  /** `client`: the work is done by another server. */
  readonly kind: 'internal' | 'client';
  readonly attributes: SpanAttributes;
  /** One of few codes for what the work failed with, never a message. Default: a problem's code, or the error's class. */
  readonly errorType?: (error: unknown) => string;
}

/** The span of a request, from its first hook to its last. */
export interface RequestSpan {
  /** 32 hexadecimal digits (W3C Trace Context). */
  readonly traceId: string;
  /** Does the work within the span: what it begins belongs to it. */
  run<Result>(work: () => Result): Result;
  /** Only the first end counts. @param status undefined when the client did not wait for it */
  end(status?: number): void;
}

/** Makes spans. There is nobody who does while no exporter is configured. */
export interface Spans {
  /** @param headers in which the caller may have said which trace it belongs to (`traceparent`, `tracestate`) */
  ofRequest(name: string, headers: IncomingHttpHeaders, attributes: SpanAttributes): RequestSpan;

  /**
   * Does the work in a span below the one that it is done in. Where there is none, as in what an instance does by itself,
   * the work is only done.
   */
  of<Result>(span: SpanDescription, work: () => Result): Result;

  /** Sends what has not been sent yet. */
  shutdown(): Promise<void>;
}
