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
  msg: { const: 'answered' },
} as const;

const serialize = build({
  type: 'object',
  properties: MEMBERS,
  required: Object.keys(MEMBERS).filter((name) => name !== 'ip'),
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
    msg: 'answered',
  });
  return `${line}\n`;
}
