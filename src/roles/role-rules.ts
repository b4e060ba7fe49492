import type { Rule, RuleFailure } from '../common/validation/index.js';
import {
  MAX_PERMISSIONS_PER_ROLE,
  PERMISSION_MAX_LENGTH,
  ROLE_NAME_MAX_LENGTH,
} from './write/index.js';

/** Names fit into headers and into lists that are separated by commas or spaces. */
export const ROLE_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]*$';
/** A scope token (RFC 6749 section 3.3) that needs no quotes or escapes anywhere. */
export const PERMISSION_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:/-]*$';

const ROLE_NAME = new RegExp(ROLE_NAME_PATTERN);
const PERMISSION = new RegExp(PERMISSION_PATTERN);

export const roleName: Rule = (value) => {
  if (typeof value !== 'string') {
    return { code: 'not-a-string' };
  }
  if (value.length > ROLE_NAME_MAX_LENGTH) {
    return { code: 'too-long', params: { max: ROLE_NAME_MAX_LENGTH } };
  }
  return ROLE_NAME.test(value) ? undefined : { code: 'role-name-characters' };
};

export const permissionList: Rule = (value) => {
  if (value === undefined) {
    return { code: 'missing' };
  }
  if (!Array.isArray(value)) {
    return { code: 'not-a-list' };
  }
  if (value.length > MAX_PERMISSIONS_PER_ROLE) {
    return { code: 'too-many-items', params: { max: MAX_PERMISSIONS_PER_ROLE } };
  }
  const wrong = value.findIndex((item: unknown) => !isPermission(item));
  return wrong < 0
    ? undefined
    : { code: 'permission-characters', params: { index: wrong, max: PERMISSION_MAX_LENGTH } };
};

export interface RoleFailures {
  readonly name: RuleFailure | undefined;
  readonly permissions: RuleFailure | undefined;
}

function isPermission(value: unknown): boolean {
  return (
    typeof value === 'string' && value.length <= PERMISSION_MAX_LENGTH && PERMISSION.test(value)
  );
}
