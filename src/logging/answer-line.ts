import build from 'fast-json-stringify';
import { hostname } from 'node:os';

import { isoTime } from './iso-time.js';

export interface AnswerFields {
  readonly requestId: string;
  readonly method: string;
  /** As it was declared. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Not known of a connection that its client has reset. */
  readonly ip: string | undefined;
  /** While requests are traced, by the name that OpenTelemetry gives it in logs that are not its own. */
  readonly trace_id?: string | undefined;
}

const TEXT = { type: 'string' } as const;
const NUMBER = { type: 'number' } as const;
const MEMBERS = {
  level: { const: 'info' },
  time: { type: 'string', format: 'unsafe' },
  pid: NUMBER,
  hostname: TEXT,
  requestId: TEXT,
  method: TEXT,
  route: TEXT,
  status: NUMBER,
  durationMs: NUMBER,
  ip: TEXT,
  trace_id: TEXT,
  msg: { const: 'answered' },
} as const;

const serialize = build({
  type: 'object',
  properties: MEMBERS,
  required: Object.keys(MEMBERS).filter((name) => name !== 'ip' && name !== 'trace_id'),
});
const PID = process.pid;
const HOSTNAME = hostname();

/**
 * The line that every request writes, as pino would write it: by a serializer for just these members, because pino looks at
 * each of them anew. They are listed, because to spread them would make one object more for each request.
 */
export function answerLine({
  requestId,
  method,
  route,
  status,
  durationMs,
  ip,
  trace_id,
}: AnswerFields): string {
  const line = serialize({
    level: 'info',
    time: isoTime(),
    pid: PID,
    hostname: HOSTNAME,
    requestId,
    method,
    route,
    status,
    durationMs,
    ip,
    trace_id,
    msg: 'answered',
  });
  return `${line}\n`;
}
