import type { CallRequest } from './call-request.js';

type Headers = Readonly<Record<string, unknown>>;
/** The parts of the contexts of Nest's transporters that have headers, by transporter. */
interface TransportContext {
  /** gRPC: the context is the metadata of the call. */
  readonly get?: (name: string) => readonly unknown[];
  readonly getMap?: unknown;
  /** NATS. */
  readonly getHeaders?: () => NatsHeaders | undefined;
  /** Kafka; RabbitMQ. */
  readonly getMessage?: () => {
    readonly headers?: Headers;
    readonly properties?: { readonly headers?: Headers };
  };
  /** MQTT 5. */
  readonly getPacket?: () => { readonly properties?: { readonly userProperties?: Headers } };
}
interface NatsHeaders {
  keys(): string[];
  values(name: string): string[];
}

const HEADER = 'authorization';
const isHeader = (name: string): boolean => name.toLowerCase() === HEADER;
/** By the context of a message, so that all guards and parameters of its handler get the same request. */
const requests = new WeakMap<object, CallRequest>();

/**
 * The request of a message that a microservice handles, with its header `authorization`: from the metadata (gRPC), headers (NATS,
 * Kafka, RabbitMQ) or user properties (MQTT 5) of the message. TCP and Redis have none, so there it comes from the member
 * `headers` of the payload.
 */
export function messageRequest(payload: unknown, context: unknown): CallRequest | undefined {
  if (typeof context !== 'object' || context === null) {
    return undefined;
  }
  let request = requests.get(context);
  if (!request) {
    const rawHeaders = authorizationOf(payload, context).flatMap((value) => [HEADER, text(value)]);
    request = { headers: {}, rawHeaders };
    requests.set(context, request);
  }
  return request;
}

function authorizationOf(payload: unknown, context: TransportContext): readonly unknown[] {
  if (context.get && context.getMap) {
    return context.get(HEADER);
  }
  if (context.getHeaders) {
    const headers = context.getHeaders();
    return (headers?.keys() ?? []).filter(isHeader).flatMap((name) => headers!.values(name));
  }
  return Object.entries(headersOf(payload, context) ?? {}).flatMap(([name, value]) =>
    isHeader(name) ? value : [],
  );
}

function headersOf(payload: unknown, context: TransportContext): Headers | undefined {
  if (context.getMessage) {
    const { headers, properties } = context.getMessage();
    return headers ?? properties?.headers;
  }
  return context.getPacket
    ? context.getPacket().properties?.userProperties
    : (payload as { readonly headers?: Headers } | null | undefined)?.headers;
}

/** @returns an empty text for a value that is no text, which the guard refuses */
function text(value: unknown): string {
  if (Buffer.isBuffer(value)) {
    return value.toString('latin1');
  }
  return typeof value === 'string' ? value : '';
}
