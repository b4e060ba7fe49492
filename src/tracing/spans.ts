import type { IncomingHttpHeaders } from 'node:http';

/** Attributes of a span: names of OpenTelemetry's semantic conventions, and values without personal data. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanDescription {
  readonly name: string;
  /** `client`: another server does the work. */
  readonly kind: 'internal' | 'client';
  readonly attributes: SpanAttributes;
  /** Maps an error to a low-cardinality code, never to a message. Default: the problem code, or the class of the error. */
  readonly errorType?: (error: unknown) => string;
}

/** The span of a request, from its first hook to its last. */
export interface RequestSpan {
  /** 32 hexadecimal digits (W3C Trace Context). */
  readonly traceId: string;
  /** Runs the work in the context of the span, so that spans created by it become children. */
  run<Result>(work: () => Result): Result;
  /** Ends the span. Later calls have no effect. @param status undefined when the client aborted the request */
  end(status?: number): void;
}

/** Creates spans. Undefined while no exporter is configured. */
export interface Spans {
  /** @param headers may contain the trace context of the caller (`traceparent`, `tracestate`) */
  ofRequest(name: string, headers: IncomingHttpHeaders, attributes: SpanAttributes): RequestSpan;

  /** Runs the work in a child of the current span. Without a current span, as in background work, it creates no span. */
  of<Result>(span: SpanDescription, work: () => Result): Result;

  /** Exports the remaining spans. */
  shutdown(): Promise<void>;
}
