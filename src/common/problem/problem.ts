import type { RuleFailure } from '../validation/rule-failure.js';
import { catalogueEntry, type ProblemCode } from './catalogue.js';

/** A rule that a member of the request body broke. */
export interface InvalidMember extends RuleFailure {
  /** JSON Pointer into the body (RFC 6901): `/password`. */
  readonly pointer: string;
}

export interface ProblemOptions {
  readonly cause?: unknown;
  /** For `invalid-request`: the failed rules of each member. */
  readonly errors?: readonly InvalidMember[];
  /** Overrides the catalogue's `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Extra members of the document. Must be safe to show. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Controllers and guards throw it to answer with a problem of the catalogue. Services return outcomes instead. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ProblemCode,
    readonly options: ProblemOptions = {},
  ) {
    super(code, { cause: options.cause });
    const entry = catalogueEntry(code);
    this.status = entry.status;
    this.retryAfterSeconds = options.retryAfterSeconds ?? entry.retryAfterSeconds;
  }
}

/**
 * `invalid-request` for the rules that a service found broken.
 *
 * @param failures by member of the request body; undefined means valid
 */
export function invalidRequest(
  failures: Readonly<Record<string, RuleFailure | undefined>>,
): Problem {
  const errors = Object.entries(failures).flatMap(([member, failure]) =>
    failure === undefined ? [] : [{ pointer: `/${member}`, ...failure }],
  );
  return new Problem('invalid-request', { errors });
}
