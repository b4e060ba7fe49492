import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import {
  bearerChallenge,
  languageOf,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  type Problem,
} from '../common/problem/index.js';

interface RefusedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** Default: a random id. */
  readonly id?: string | undefined;
}

export interface ProblemResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The response to a request that the guard refuses (RFC 9457, RFC 6750 section 3). */
export function problemResponse(
  problem: Problem,
  { headers, url, id = randomUUID() }: RefusedRequest,
): ProblemResponse {
  const language = languageOf(headers['accept-language']);
  const path = url.split('?', 1)[0] ?? '/';
  const challenge = bearerChallenge(problem.code);
  const retryAfter = problem.retryAfterSeconds;
  return {
    status: problem.status,
    headers: {
      'Content-Type': PROBLEM_MEDIA_TYPE,
      'Content-Language': language,
      'Cache-Control': 'no-store',
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify(problemDocument(problem, { path, requestId: id, language })),
  };
}
