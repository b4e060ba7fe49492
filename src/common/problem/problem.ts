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
 * Throws `invalid-request` if any check failed.
 *
 * @param checks results by JSON Pointer; undefined means valid
 */
export function refuseInvalidMembers(
  checks: Readonly<Record<string, RuleFailure | undefined>>,
): void {
  const errors = Object.entries(checks).flatMap(([pointer, failure]) =>
    failure === undefined ? [] : [{ pointer, ...failure }],
  );
  if (errors.length > 0) {
    throw new Problem('invalid-request', { errors });
  }
}
