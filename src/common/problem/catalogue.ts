interface CatalogueEntry {
  readonly status: number;
  /** Value of `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number;
}

/**
 * All problem codes (RFC 9457). A code never changes its meaning. The texts are in `locales/`. Each code has a page at
 * `/problems/<code>`.
 */
export const PROBLEMS = {
  'invalid-request': { status: 400 },
  'malformed-request': { status: 400 },
  'invalid-one-time-token': { status: 400 },
  'missing-token': { status: 401 },
  'invalid-token': { status: 401 },
  'wrong-credentials': { status: 401 },
  'invalid-refresh-token': { status: 401 },
  'wrong-second-factor': { status: 401 },
  'invalid-challenge': { status: 401 },
  'passkey-refused': { status: 401 },
  'wrong-password': { status: 403 },
  'registration-closed': { status: 403 },
  forbidden: { status: 403 },
  'user-required': { status: 403 },
  'unlimited-token-required': { status: 403 },
  'beyond-own-permissions': { status: 403 },
  'reauthentication-required': { status: 403 },
  'second-factor-required': { status: 403 },
  'second-factor-enrolment-required': { status: 403 },
  'not-found': { status: 404 },
  'method-not-allowed': { status: 405 },
  'request-timeout': { status: 408 },
  'own-access': { status: 409 },
  'last-administrator': { status: 409 },
  'username-taken': { status: 409 },
  'built-in-role': { status: 409 },
  'too-many-roles': { status: 409 },
  'name-taken': { status: 409 },
  'too-many-service-accounts': { status: 409 },
  'too-many-secrets': { status: 409 },
  'too-many-factors': { status: 409 },
  'too-many-signing-keys': { status: 409 },
  'no-second-factor': { status: 409 },
  'no-verified-email': { status: 409 },
  'user-disabled': { status: 409 },
  'nothing-to-verify': { status: 409 },
  'body-too-large': { status: 413 },
  'unsupported-media-type': { status: 415 },
  'expectation-failed': { status: 417 },
  'too-many-attempts': { status: 429 },
  'too-many-streams': { status: 429, retryAfterSeconds: 30 },
  'headers-too-large': { status: 431 },
  'internal-error': { status: 500 },
  'listing-not-supported': { status: 501 },
  'mail-not-configured': { status: 501 },
  'audit-trail-not-supported': { status: 501 },
  'not-confirmed': { status: 503, retryAfterSeconds: 1 },
  'not-ready': { status: 503, retryAfterSeconds: 1 },
  overloaded: { status: 503, retryAfterSeconds: 2 },
  'store-unavailable': { status: 503, retryAfterSeconds: 1 },
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

export function catalogueEntry(code: ProblemCode): CatalogueEntry {
  return PROBLEMS[code];
}
