import { isEmail, ValidateBy, ValidateIf } from 'class-validator';

import type { Rule } from './rule-failure.js';

/** Checks a property by one of our rules, whose failure becomes an entry of the problem's `errors`. */
export function MatchesRule(name: string, rule: Rule): PropertyDecorator {
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value) => rule(value) === undefined,
        // class-validator keeps no context of a failure without a message.
        defaultMessage: () => `${name} is not accepted`,
      },
    },
    // The validation pipe asks the rule for the failure.
    { context: { rule } satisfies RuleContext },
  );
}

/** What `MatchesRule` hands to the validation pipe, as class-validator's `context`. */
export interface RuleContext {
  readonly rule: Rule;
}

/** For a member that may be left out. `IsOptional` would let null through as well. */
export function OptionalNotNull(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** Any string; what it must look like is decided elsewhere. */
export const isText: Rule = (value) => {
  if (value === undefined) {
    return { code: 'missing' };
  }
  return typeof value === 'string' ? undefined : { code: 'not-a-string' };
};

/** Control characters, line breaks, halves of characters, and what turns the direction of the text around it. */
const UNSEEN_EFFECTS = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** A string within limits, counted in code points, without control characters. */
export function textBetween(min: number, max: number): Rule {
  return (value) => {
    if (typeof value !== 'string') {
      return { code: 'not-a-string' };
    }
    // Two units for a code point at the most, so that a huge text is not taken apart to be counted.
    const length = value.length > 2 * max ? value.length : Array.from(value).length;
    if (length < min || value.trim() === '') {
      return { code: 'too-short', params: { min } };
    }
    if (length > max) {
      return { code: 'too-long', params: { max } };
    }
    return UNSEEN_EFFECTS.test(value) ? { code: 'control-characters' } : undefined;
  };
}

const EMAIL_MAX_LENGTH = 254; // RFC 5321 section 4.5.3.1.3
/** What isEmail lets through, or fails at: spaces of all kinds, what cannot be seen, halves of characters. */
const NOT_IN_EMAIL = /[\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/u;

export const emailAddress: Rule = (value) => {
  if (typeof value !== 'string') {
    return { code: 'not-a-string' };
  }
  if (value.length > EMAIL_MAX_LENGTH) {
    return { code: 'too-long', params: { max: EMAIL_MAX_LENGTH } };
  }
  return !NOT_IN_EMAIL.test(value) && isEmail(value) ? undefined : { code: 'not-an-email' };
};

export const isBoolean: Rule = (value) =>
  typeof value === 'boolean' ? undefined : { code: 'not-a-boolean' };

/** What its items are is for another rule. */
export const isList: Rule = (value) => (Array.isArray(value) ? undefined : { code: 'not-a-list' });

/** A list whose every item is one of these. */
export function listOf(items: readonly string[]): Rule {
  return (value) => {
    if (!Array.isArray(value)) {
      return { code: 'not-a-list' };
    }
    const isKnown = value.every((item) => items.some((known) => known === item));
    return isKnown ? undefined : { code: 'unknown-item', params: { items: items.join(', ') } };
  };
}
