import { invalidRequest, Problem, type ProblemCode } from '../common/problem/index.js';
import type { RoleChangeOutcome, RoleRefusal } from './role-administration.js';

const CODE_OF_REFUSAL = {
  'unknown-role': 'not-found',
  'built-in-role': 'built-in-role',
  'beyond-own-permissions': 'beyond-own-permissions',
  'too-many-roles': 'too-many-roles',
} as const satisfies Record<RoleRefusal['outcome'], ProblemCode>;

export function roleProblem(
  result: Exclude<RoleChangeOutcome, { readonly outcome: 'changed' }>,
): Problem {
  return result.outcome === 'refused'
    ? invalidRequest({ ...result.failures })
    : new Problem(CODE_OF_REFUSAL[result.outcome]);
}
