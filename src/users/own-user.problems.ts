import { Problem } from '../common/problem/index.js';
import type { Refusal } from '../credentials/index.js';

/** The problem for a refused request about the own user. */
export function ownUserProblem(
  result:
    | Refusal
    | { readonly outcome: 'last-administrator' }
    | { readonly outcome: 'reauthentication-required' },
): Problem {
  switch (result.outcome) {
    case 'wrong-password':
    case 'last-administrator':
    case 'reauthentication-required':
      return new Problem(result.outcome);
    case 'unknown-user':
      return new Problem('invalid-token');
    case 'too-many-attempts':
      return new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
  }
}
