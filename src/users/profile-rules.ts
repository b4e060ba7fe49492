import {
  emailAddress,
  textBetween,
  type Rule,
  type RuleFailure,
} from '../common/validation/index.js';
import type { ProfileChange } from './user.js';

export const DISPLAY_NAME_MAX_LENGTH = 100;

/** Request bodies use these rules too, so that the client gets all failures in one response. */
export const PROFILE_RULES = {
  email: emailAddress,
  displayName: textBetween(1, DISPLAY_NAME_MAX_LENGTH),
} as const;

/** The rule that each member breaks; undefined: none. */
export type ProfileFailures = Readonly<Record<keyof ProfileChange, RuleFailure | undefined>>;

/** Checks the given members. Null clears a member and is valid. */
export function checkProfile({ email, displayName }: ProfileChange): ProfileFailures {
  return {
    email: failureOf(PROFILE_RULES.email, email),
    displayName: failureOf(PROFILE_RULES.displayName, displayName),
  };
}

export function hasFailure(failures: Readonly<Record<string, RuleFailure | undefined>>): boolean {
  return Object.values(failures).some((failure) => failure !== undefined);
}

function failureOf(rule: Rule, value: string | null | undefined): RuleFailure | undefined {
  return value === null || value === undefined ? undefined : rule(value);
}
