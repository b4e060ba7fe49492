import type { Rule } from '../validation/index.js';

/** Maximum number of permissions of a role or a service account. */
export const MAX_PERMISSIONS = 100;
export const PERMISSION_MAX_LENGTH = 100;
/** A scope token (RFC 6749 section 3.3) that needs no quotes or escapes anywhere. */
export const PERMISSION_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:/-]*$';

const PERMISSION = new RegExp(PERMISSION_PATTERN);

/** Accepts a list of permissions, of Keyslot and of other services. */
export const permissionList: Rule = (value) => {
  if (value === undefined) {
    return { code: 'missing' };
  }
  if (!Array.isArray(value)) {
    return { code: 'not-a-list' };
  }
  if (value.length > MAX_PERMISSIONS) {
    return { code: 'too-many-items', params: { max: MAX_PERMISSIONS } };
  }
  const wrong = value.findIndex((item: unknown) => !isPermission(item));
  return wrong < 0
    ? undefined
    : { code: 'permission-characters', params: { index: wrong, max: PERMISSION_MAX_LENGTH } };
};

export function isPermission(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= PERMISSION_MAX_LENGTH && PERMISSION.test(value)
  );
}
