import {
  bearerChallenge,
  Problem,
  problemText,
  type ProblemCode,
} from '../../common/problem/index.js';

/**
 * Why a request must not pass: 401 (`missing-token`, `invalid-token`), 403 (`forbidden`,
 * `second-factor-enrolment-required`) or 503 (`store-unavailable`). Express
 * and Fastify answer with its `status` and `headers`.
 */
export class KeyslotError extends Error {
  override readonly name = 'KeyslotError';
  readonly status: number;
  readonly statusCode: number;
  /** Headers of the response: `WWW-Authenticate` with 401, `Retry-After` with 503, and `Cache-Control`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ProblemCode,
    options: { readonly cause?: unknown } = {},
  ) {
    super(problemText(code, 'detail', 'en'), options);
    const { status, retryAfterSeconds } = new Problem(code);
    this.status = status;
    this.statusCode = status;
    const challenge = bearerChallenge(code);
    this.headers = {
      'Cache-Control': 'no-store',
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    };
  }
}
