import { PERMISSION_PROBLEMS } from '../common/authentication/index.js';
import { invalidRequest, Problem, type ProblemCode } from '../common/problem/index.js';
import type { AdministrationRefusal, InvalidUserChange } from './user-administration.outcomes.js';

const CODE_OF_REFUSAL = {
  'unknown-user': 'not-found',
  'own-access': 'own-access',
  'beyond-own-permissions': 'beyond-own-permissions',
  'last-administrator': 'last-administrator',
  'reauthentication-required': 'reauthentication-required',
  'unlimited-token-required': 'unlimited-token-required',
} as const satisfies Record<AdministrationRefusal['outcome'], ProblemCode>;

/** The problems of routes that change other users. */
export const ADMINISTRATION_PROBLEMS = [
  ...PERMISSION_PROBLEMS,
  'beyond-own-permissions',
  'not-found',
  'own-access',
  'last-administrator',
  'not-confirmed',
] as const satisfies ProblemCode[];

export function administrationProblem(result: AdministrationRefusal | InvalidUserChange): Problem {
  return result.outcome === 'refused'
    ? invalidRequest(result.failures)
    : new Problem(CODE_OF_REFUSAL[result.outcome]);
}
