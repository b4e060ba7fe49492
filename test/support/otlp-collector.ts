import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

/** The subset of the OpenTelemetry protocol that is read here (opentelemetry-proto 1.x, trace/v1 and common/v1). */
const TraceRequest = protobuf
  .parse(
    `syntax = "proto3";
    message TraceRequest { repeated ResourceSpans resource_spans = 1; }
    message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
    message Resource { repeated KeyValue attributes = 1; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span {
      bytes trace_id = 1;
      bytes span_id = 2;
      bytes parent_span_id = 4;
      string name = 5;
      int32 kind = 6;
      fixed64 start_time_unix_nano = 7;
      fixed64 end_time_unix_nano = 8;
      repeated KeyValue attributes = 9;
      repeated Event events = 11;
      Status status = 15;
    }
    message Event { string name = 2; repeated KeyValue attributes = 3; }
    message Status { string message = 2; int32 code = 3; }
    message KeyValue { string key = 1; AnyValue value = 2; }
    message AnyValue {
      oneof value { string text = 1; bool flag = 2; int64 whole = 3; double fraction = 4; }
    }`,
  )
  .root.lookupType('TraceRequest');

const KINDS = ['unspecified', 'internal', 'server', 'client'] as const;
const ERROR_STATUS = 2;

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty if there is none. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly isError: boolean;
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

interface WireSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: number } | null;
}

interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** Receives traces by OTLP over HTTP, like an OpenTelemetry collector. */
export class OtlpCollector {
  readonly spans: ExportedSpan[] = [];
  /** Refuses all requests, and echoes the key in the response. */
  isClosed = false;
  /** All received bytes, as text. */
  received = '';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpCollector> {
    const server = createServer();
    const collector = new OtlpCollector(server);
    server.on('request', (request, response) => {
      void buffer(request).then((body) => {
        if (collector.isClosed) {
          response.writeHead(401).end(`unknown key: ${String(request.headers['x-api-key'])}`);
          return;
        }
        if (request.url === '/v1/traces' && request.method === 'POST') {
          collector.take(body);
        }
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return collector;
  }

  /** The value of `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private take(body: Buffer): void {
    this.received += body.toString('latin1');
    const request = TraceRequest.toObject(TraceRequest.decode(body), {
      longs: Number,
      defaults: true,
    }) as WireRequest;
    for (const { resource, scopeSpans } of request.resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentId: hex(span.parentSpanId),
          name: span.name,
          kind: KINDS[span.kind] ?? 'unknown',
          isError: span.status?.code === ERROR_STATUS,
          attributes: attributesOf(span.attributes),
          resource: attributesOf(resource.attributes),
        });
      }
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function attributesOf(list: readonly KeyValue[]): Attributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]!]));
}
