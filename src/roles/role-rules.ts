import type { Rule, RuleFailure } from '../common/validation/index.js';
import { ROLE_NAME_MAX_LENGTH } from './write/index.js';

/** Names fit into headers and into lists that are separated by commas or spaces. */
export const ROLE_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]*$';

const ROLE_NAME = new RegExp(ROLE_NAME_PATTERN);

export const roleName: Rule = (value) => {
  if (typeof value !== 'string') {
    return { code: 'not-a-string' };
  }
  if (value.length > ROLE_NAME_MAX_LENGTH) {
    return { code: 'too-long', params: { max: ROLE_NAME_MAX_LENGTH } };
  }
  return ROLE_NAME.test(value) ? undefined : { code: 'role-name-characters' };
};

export interface RoleFailures {
  readonly name: RuleFailure | undefined;
  readonly permissions: RuleFailure | undefined;
  readonly requireSecondFactor: RuleFailure | undefined;
}
