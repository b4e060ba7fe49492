import { invalidRequest, Problem, type ProblemCode } from '../common/problem/index.js';
import type { AccountRefusal, InvalidAccount } from './service-account-administration.js';

const CODE_OF_REFUSAL = {
  'unknown-account': 'not-found',
  'beyond-own-permissions': 'beyond-own-permissions',
  'name-taken': 'name-taken',
  'too-many-service-accounts': 'too-many-service-accounts',
  'too-many-secrets': 'too-many-secrets',
} as const satisfies Record<AccountRefusal['outcome'], ProblemCode>;

export function accountProblem(result: AccountRefusal | InvalidAccount): Problem {
  return result.outcome === 'refused'
    ? invalidRequest({ ...result.failures })
    : new Problem(CODE_OF_REFUSAL[result.outcome]);
}
