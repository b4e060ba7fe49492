import { hostname } from 'node:os';

import { isoTime } from './iso-time.js';

export interface AccessLogFields {
  /** A UUID. */
  readonly requestId: string;
  readonly method: string;
  /** The declared route. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Undefined when the client has reset the connection. */
  readonly ip: string | undefined;
  /** Only while tracing is on. OpenTelemetry specifies this name for logs in other formats. */
  readonly trace_id?: string | undefined;
}

const PROCESS = `,"pid":${process.pid},"hostname":${JSON.stringify(hostname())},"requestId":"`;

/** The members that all responses of a route with the same status share, as text. There are as many as routes and statuses. */
const textsOfRoute = new Map<string, Map<string, Map<number, string>>>();

/**
 * Formats the log line of a response with the members that pino would write. It joins few texts, because joining many short ones
 * costs more than all hooks of a request.
 *
 * @param worker number of the worker, which is in every line of its log. Default: none
 */
export function accessLogLine(
  { requestId, method, route, status, durationMs, ip, trace_id }: AccessLogFields,
  worker?: number,
): string {
  const begin = `{"level":"info","time":"${isoTime()}"${PROCESS}`;
  const address = ip === undefined ? '' : `,"ip":${JSON.stringify(ip)}`;
  const ofWorker = worker === undefined ? '' : `,"worker":${worker}`;
  const trace = trace_id === undefined ? '' : `,"trace_id":${JSON.stringify(trace_id)}`;
  return `${begin}${requestId}${textOf(method, route, status)}${durationMs}${address}${ofWorker}${trace},"msg":"answered"}\n`;
}

function textOf(method: string, route: string, status: number): string {
  const ofMethod = entry(textsOfRoute, route, () => new Map<string, Map<number, string>>());
  const ofStatus = entry(ofMethod, method, () => new Map<number, string>());
  return entry(ofStatus, status, () => {
    const members = JSON.stringify({ method, route, status }).slice(1, -1);
    return `",${members},"durationMs":`;
  });
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
