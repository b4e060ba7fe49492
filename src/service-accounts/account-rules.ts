import { permissionList } from '../common/authentication/index.js';
import { textBetween, type Rule, type RuleFailure } from '../common/validation/index.js';
import {
  AUDIENCE_MAX_LENGTH,
  MAX_AUDIENCES,
  NAME_MAX_LENGTH,
  publicKeySet,
  type ClientKeySet,
} from './write/index.js';

/** Visible ASCII that needs no quotes in a header, and no comma, which separates audiences in settings. */
export const AUDIENCE_PATTERN = '^[!#-+\\-.-\\[\\]-~]+$';

const AUDIENCE = new RegExp(AUDIENCE_PATTERN);

export const accountName: Rule = (value) =>
  value === undefined ? { code: 'missing' } : textBetween(1, NAME_MAX_LENGTH)(value);

export const audienceList: Rule = (value) => {
  if (!Array.isArray(value)) {
    return { code: 'not-a-list' };
  }
  if (value.length === 0) {
    return { code: 'empty-list' };
  }
  if (value.length > MAX_AUDIENCES) {
    return { code: 'too-many-items', params: { max: MAX_AUDIENCES } };
  }
  const wrong = value.findIndex((item: unknown) => !isAudience(item));
  return wrong < 0
    ? undefined
    : { code: 'audience-characters', params: { index: wrong, max: AUDIENCE_MAX_LENGTH } };
};

export interface AccountFailures {
  readonly name: RuleFailure | undefined;
  readonly permissions: RuleFailure | undefined;
  readonly audiences: RuleFailure | undefined;
  readonly jwks: RuleFailure | undefined;
}

/** Checks the members that are present. */
export function failuresOf({
  name,
  permissions,
  audiences,
  jwks,
}: {
  readonly name?: string | undefined;
  readonly permissions?: readonly string[] | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly jwks?: ClientKeySet | undefined;
}): AccountFailures {
  return {
    name: name === undefined ? undefined : accountName(name),
    permissions: permissions && permissionList(permissions),
    audiences: audiences && audienceList(audiences),
    jwks: jwks && publicKeySet(jwks),
  };
}

function isAudience(value: unknown): boolean {
  return typeof value === 'string' && value.length <= AUDIENCE_MAX_LENGTH && AUDIENCE.test(value);
}
