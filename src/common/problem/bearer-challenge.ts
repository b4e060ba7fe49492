import type { ProblemCode } from './catalogue.js';

/** The header `WWW-Authenticate` of a 401 (RFC 6750 section 3). */
export const BEARER_CHALLENGE = 'Bearer realm="keyslot"';

const CHALLENGES = new Map<ProblemCode, string>([
  ['missing-token', BEARER_CHALLENGE],
  ['wrong-credentials', BEARER_CHALLENGE],
  ['invalid-refresh-token', BEARER_CHALLENGE],
  ['invalid-token', `${BEARER_CHALLENGE}, error="invalid_token"`],
]);

/** @returns undefined for a problem that is not about credentials */
export function bearerChallenge(code: ProblemCode): string | undefined {
  return CHALLENGES.get(code);
}
