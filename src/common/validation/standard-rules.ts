import * as classValidator from 'class-validator';
import { getMetadataStorage, type ValidationError } from 'class-validator';

import type { RuleFailure } from './rule-failure.js';

/** Rules about presence, then about the type. Other rules are meaningless when these fail. */
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

/** Sorts the failed rules of one member: presence, type, then the rest, each in the order of declaration. */
export function basicFirst<Failure extends RuleFailure>(failures: readonly Failure[]): Failure[] {
  const rank = ({ code }: RuleFailure): number => {
    const found = BASIC_RULES.findIndex((codes) => codes.includes(code));
    return found < 0 ? BASIC_RULES.length : found;
  };
  // Decorators run from last to first, so class-validator reports failures in reverse order.
  return [...failures].reverse().sort((one, other) => rank(one) - rank(other));
}

/** class-validator exports the names of its rules as constants, except the last two. */
const STANDARD_RULES = new Set<unknown>([
  ...Object.values(classValidator).filter((value) => typeof value === 'string'),
  'nestedValidation',
  'unknownValue',
]);

/** Converts a failed rule of class-validator or of another package, with the parameters for a translated text. */
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
  // A text of the application or of another package is kept and not translated.
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

/** `ValidateNested` stores its default text in `message`, where other decorators store only a custom text. */
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
