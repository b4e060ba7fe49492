import { BadRequestException } from '@nestjs/common';

import type { InvalidMember } from '../common/problem/index.js';

/** Messages of Nest's built-in pipes for parameters and files, and the rule code for each. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/^Validation failed \(uuid(?: v \S+)? is expected\)$/, 'not-a-uuid'],
  [/^The value passed as UUID is not a string$/, 'not-a-uuid'],
  [/^Validation failed \(numeric string is expected\)$/, 'not-a-number'],
  [/^(?:\[\d+\] )?item must be a number$/, 'not-a-number'],
  [/^Validation failed \(boolean string is expected\)$/, 'not-a-boolean'],
  [/^(?:\[\d+\] )?item must be a boolean value$/, 'not-a-boolean'],
  [/^Validation failed \(enum string is expected\)$/, 'not-an-option'],
  [/^Validation failed \(invalid date format\)$/, 'not-a-date'],
  [/^Validation failed \(no Date provided\)$/, 'missing'],
  [/^Validation failed \(parsable array expected\)$/, 'not-a-list'],
  [/^File is required$/, 'missing'],
  [
    /^Validation failed \((?:current file size is .*, )?expected size is less than .*\)$/,
    'too-large',
  ],
  [/^Validation failed \(.*expected type is .*\)$/s, 'wrong-file-type'],
];

/**
 * Converts the exception of a built-in Nest pipe into entries of `errors`, so that their texts can be localized. The pointer
 * is that of the value itself, because a pipe does not know the name of its parameter.
 *
 * @returns undefined for any other exception
 */
export function pipeFailures(exception: unknown): InvalidMember[] | undefined {
  if (!(exception instanceof BadRequestException)) {
    return undefined;
  }
  const { message } = exception.getResponse() as { readonly message?: unknown };
  const texts: readonly unknown[] = Array.isArray(message) ? message : [message];
  const failures = texts.flatMap((text) => {
    const code = RULES.find(([form]) => typeof text === 'string' && form.test(text))?.[1];
    const index = /^\[(\d+)\]/.exec(String(text))?.[1];
    return code === undefined ? [] : [{ pointer: index === undefined ? '' : `/${index}`, code }];
  });
  return texts.length > 0 && failures.length === texts.length ? failures : undefined;
}
