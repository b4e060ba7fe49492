import { isEmail, isUUID, ValidateBy, ValidateIf } from 'class-validator';

import type { Rule } from './rule-failure.js';

/** Validates a property by one of our rules. A failure becomes an entry of `errors` in the problem. */
export function MatchesRule(name: string, rule: Rule): PropertyDecorator {
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value) => rule(value) === undefined,
        // class-validator drops the context of a failure without a message.
        defaultMessage: () => `${name} is not accepted`,
      },
    },
    // The validation pipe runs the rule again to get the failure.
    { context: { rule } satisfies RuleContext },
  );
}

/** The class-validator `context` that `MatchesRule` passes to the validation pipe. */
export interface RuleContext {
  readonly rule: Rule;
}

/** Makes a member optional. Unlike `IsOptional`, it does not accept null. */
export function OptionalNotNull(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** Accepts any string. Its content is validated elsewhere. */
export const isText: Rule = (value) => {
  if (value === undefined) {
    return { code: 'missing' };
  }
  return typeof value === 'string' ? undefined : { code: 'not-a-string' };
};

/** Control characters, line breaks, lone surrogates, and bidirectional control characters. */
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** Accepts a string without control characters whose length, in code points, is within the limits. */
export function textBetween(min: number, max: number): Rule {
  return (value) => {
    if (typeof value !== 'string') {
      return { code: 'not-a-string' };
    }
    // A code point has at most two units, so a huge text need not be split to know that it is too long.
    const length = value.length > 2 * max ? value.length : Array.from(value).length;
    if (length < min || value.trim() === '') {
      return { code: 'too-short', params: { min } };
    }
    if (length > max) {
      return { code: 'too-long', params: { max } };
    }
    return CONTROL_CHARACTERS.test(value) ? { code: 'control-characters' } : undefined;
  };
}

/** Accepts a whole number, or its text in a query. */
export function wholeNumberBetween(min: number, max: number): Rule {
  return (value) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    const isInRange =
      Number.isSafeInteger(number) && min <= Number(number) && Number(number) <= max;
    return isInRange ? undefined : { code: 'not-in-range', params: { min, max } };
  };
}

/** Accepts the id of a user or of a service account, in any case. */
export const entityId: Rule = (value) =>
  typeof value === 'string' && isUUID(value) ? undefined : { code: 'not-an-id' };

const EMAIL_MAX_LENGTH = 254; // RFC 5321 section 4.5.3.1.3
/** Characters that isEmail accepts or fails on: all kinds of spaces, invisible characters, lone surrogates. */
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

/** Accepts the text of a boolean in a query. */
export const isBooleanText: Rule = (value) =>
  value === 'true' || value === 'false' ? undefined : { code: 'not-a-boolean' };

/** Accepts any list. Another rule validates its items. */
export const isList: Rule = (value) => (Array.isArray(value) ? undefined : { code: 'not-a-list' });

/** Accepts a list whose items are all among the given ones. */
export function listOf(items: readonly string[]): Rule {
  return (value) => {
    if (!Array.isArray(value)) {
      return { code: 'not-a-list' };
    }
    const isKnown = value.every((item) => items.some((known) => known === item));
    return isKnown ? undefined : { code: 'unknown-item', params: { items: items.join(', ') } };
  };
}
