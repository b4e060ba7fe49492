import { Logger } from '@nestjs/common';
import {
  context,
  diag,
  DiagLogLevel,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { IncomingHttpHeaders } from 'node:http';

import { Problem } from '../common/problem/index.js';
import type { Secret } from '../common/secret/index.js';
import type { RequestSpan, SpanAttributes, SpanDescription, Spans } from './spans.js';

const WARNING_INTERVAL_MS = 30_000;
const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };

/**
 * Creates spans that the OpenTelemetry SDK exports by OTLP over HTTP. Only this file loads the SDK, and it is imported only
 * when an exporter is configured. The SDK reads endpoint, sampling and service name from the `OTEL_…` variables.
 *
 * @param variables the `OTEL_…` variables of the environment and `.env`
 */
export function openTelemetrySpans(variables: Readonly<Record<string, Secret>>): Spans {
  for (const [name, value] of Object.entries(variables)) {
    // eslint-disable-next-line no-restricted-syntax -- the SDK looks for them there, and nowhere else
    process.env[name] = value.reveal();
  }
  diag.setLogger(exportWarnings(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'keyslot' }))
      .merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return new OpenTelemetrySpans(provider);
}

class OpenTelemetrySpans implements Spans {
  private readonly tracer: Tracer;

  constructor(private readonly provider: NodeTracerProvider) {
    this.tracer = provider.getTracer('keyslot');
  }

  ofRequest(name: string, headers: IncomingHttpHeaders, attributes: SpanAttributes): RequestSpan {
    const caller = propagation.extract(ROOT_CONTEXT, headers);
    const span = this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, caller);
    return new OpenTelemetryRequestSpan(span, trace.setSpan(caller, span));
  }

  of<Result>({ name, kind, attributes, errorType }: SpanDescription, work: () => Result): Result {
    if (trace.getActiveSpan() === undefined) {
      return work();
    }
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes });
    const fail = (error: unknown): never => {
      span.setAttribute('error.type', (errorType ?? typeOf)(error));
      if (!isRefusal(error)) {
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
      throw error;
    };
    try {
      const result = context.with(trace.setSpan(context.active(), span), work);
      if (result instanceof Promise) {
        return result.then((value: unknown) => {
          span.end();
          return value;
        }, fail) as Result;
      }
      span.end();
      return result;
    } catch (error) {
      return fail(error);
    }
  }

  async shutdown(): Promise<void> {
    await this.provider.shutdown();
  }
}

class OpenTelemetryRequestSpan implements RequestSpan {
  private hasEnded = false;

  constructor(
    private readonly span: Span,
    private readonly context: Context,
  ) {}

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  run<Result>(work: () => Result): Result {
    return context.with(this.context, work);
  }

  end(status?: number): void {
    if (this.hasEnded) {
      return;
    }
    this.hasEnded = true;
    if (status !== undefined) {
      this.span.setAttribute('http.response.status_code', status);
    }
    if (status === undefined || status >= 500) {
      this.span.setAttribute('error.type', status === undefined ? 'aborted' : String(status));
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

function typeOf(error: unknown): string {
  if (error instanceof Problem) {
    return error.code;
  }
  return error instanceof Error ? error.name : '_OTHER';
}

/** Whether the error is a 4xx problem, which is not a failure of the span. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status < 500;
}

/** Limits the rate of export warnings, because the SDK reports every failed batch. Logs the message without URL and headers. */
function exportWarnings() {
  const logger = new Logger('Tracing');
  let warnedAt = -Infinity;
  const warn = (text: string): void => {
    if (performance.now() - warnedAt >= WARNING_INTERVAL_MS) {
      warnedAt = performance.now();
      logger.warn(`Exporting traces failed: ${messageOf(text)}`);
    }
  };
  const ignore = (): void => undefined;
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
}

/** The SDK passes errors as JSON, with the stack and the response of the collector. */
function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message);
  } catch {
    return text;
  }
}
