import * as classValidator from 'class-validator';
import { getMetadataStorage, type ValidationError } from 'class-validator';

import type { RuleFailure } from './rule-failure.js';

/** What a value has to be at all, before other rules have a meaning. */
const BASIC_RULES: readonly (readonly string[])[] = [
  ['isDefined', 'isNotEmpty', 'nestedValidation'],
  [
    'isArray',
    'isBoolean',
    'isDate',
    'isDateString',
    'isEnum',
    'isInstance',
    'isInt',
    'isNumber',
    'isNumberString',
    'isObject',
    'isString',
  ],
];

/** Sorts the failed rules of one member: whether there is a value, its type, and the rest, each as they are written. */
export function basicFirst<Failure extends RuleFailure>(failures: readonly Failure[]): Failure[] {
  const rank = ({ code }: RuleFailure): number => {
    const found = BASIC_RULES.findIndex((codes) => codes.includes(code));
    return found < 0 ? BASIC_RULES.length : found;
  };
  // Decorators run from the last to the first, so class-validator reports them in the reverse order.
  return [...failures].reverse().sort((one, other) => rank(one) - rank(other));
}

/** It exports the name of each of its rules. The last two are for values that it does not look into. */
const STANDARD_RULES = new Set<unknown>([
  ...Object.values(classValidator).filter((value) => typeof value === 'string'),
  'nestedValidation',
  'unknownValue',
]);

/** A failed rule of class-validator or of another package, with what its text in another language needs. */
export function standardFailure(
  { target, property }: ValidationError,
  code: string,
  message: string,
): RuleFailure {
  const metadata = target
    ? getMetadataStorage()
        .getTargetValidationMetadatas(target.constructor, '', true, false)
        .find(
          ({ name, type, propertyName }) => propertyName === property && (name ?? type) === code,
        )
    : undefined;
  // A text that the application, or another package, wrote itself is in the language that it wants.
  const isStandard = metadata !== undefined || code === 'unknownValue';
  if (!isStandard || !STANDARD_RULES.has(code) || hasOwnText(metadata?.message)) {
    return { code, message };
  }
  const params = ((metadata?.constraints ?? []) as readonly unknown[]).map((value, index) => [
    `constraint${index + 1}`,
    textOf(value),
  ]);
  return {
    code,
    message,
    isStandard: true,
    isForEach: metadata?.each === true && code !== 'nestedValidation',
    params: Object.fromEntries(params) as Record<string, string>,
  };
}

/** `ValidateNested` writes its standard text where other decorators keep the application's. */
function hasOwnText(message: unknown): boolean {
  return (
    message !== undefined &&
    !(
      typeof message === 'string' &&
      /^(?:each value in )?nested property \$property must be/.test(message)
    )
  );
}

function textOf(constraint: unknown): string {
  if (Array.isArray(constraint)) {
    return constraint.map(textOf).join(', ');
  }
  return constraint instanceof Date ? constraint.toISOString() : String(constraint);
}
