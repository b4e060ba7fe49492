import { invalidRequest, Problem } from '../common/problem/index.js';
import type { ReauthenticationRequired, Refusal } from '../credentials/index.js';
import type { ProfileFailures } from './profile-rules.js';

/** The problem for a refused change of the caller's own user. */
export function ownUserProblem(
  result:
    | Refusal
    | { readonly outcome: 'last-administrator' }
    | ReauthenticationRequired
    | { readonly outcome: 'refused'; readonly failures: ProfileFailures },
): Problem {
  switch (result.outcome) {
    case 'wrong-password':
    case 'last-administrator':
    case 'reauthentication-required':
      return new Problem(result.outcome);
    case 'refused':
      return invalidRequest(result.failures);
    case 'unknown-user':
      return new Problem('invalid-token');
    case 'too-many-attempts':
      return new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
  }
}
