import { Problem, type InvalidMember } from '../common/problem/index.js';
import { pointerTo } from '../common/validation/index.js';

/** Deeper than any body of ours, and shallow enough for code that walks a body recursively. */
const MAX_LEVELS = 16;
/** More members and items than any body of ours has, and few enough for code that has something to say to each. */
const MAX_VALUES = 1000;

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED_STRING = '"(?:[^"\\\\]|\\\\.)*"';
const NOT_UTF_8 = 'charset=(?!(?:utf-8|"utf-8")[ \\t]*(?:;|$))';

/**
 * Matches a media type with any parameters, also empty ones (RFC 9110 sections 5.6.6 and 8.3.1), save for another charset
 * than UTF-8. No two parts match the same text, so that the match takes linear time.
 *
 * @param type `application/json`
 */
export function inUtf8(type: string): RegExp {
  return new RegExp(
    `^${type}[ \\t]*(?:;[ \\t]*(?:(?!${NOT_UTF_8})${TOKEN}=(?:${TOKEN}|${QUOTED_STRING})[ \\t]*)?)*$`,
    'i',
  );
}

/** Checks what a body may hold at all, whatever its route says. */
export function flawOf(body: unknown): Problem | null {
  if (!isWithin({ values: MAX_VALUES }, MAX_LEVELS, body)) {
    return new Problem('malformed-request');
  }
  const errors = loneSurrogates(body, '');
  return errors.length > 0 ? new Problem('invalid-request', { errors }) : null;
}

function isWithin(left: { values: number }, levels: number, value: unknown): boolean {
  left.values -= 1;
  if (left.values < 0 || typeof value !== 'object' || value === null) {
    return left.values >= 0;
  }
  return levels > 0 && Object.values(value).every((member) => isWithin(left, levels - 1, member));
}

/**
 * The values and names with half of a surrogate pair, as an escape such as `"\ud83d"` makes it. UTF-8 has no bytes for it:
 * each one would be hashed and stored as U+FFFD, like every other half.
 */
function loneSurrogates(value: unknown, pointer: string): InvalidMember[] {
  if (typeof value === 'string') {
    return value.isWellFormed() ? [] : [{ pointer, code: 'lone-surrogate' }];
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) => {
    const memberPointer = pointerTo(pointer, name.toWellFormed());
    return name.isWellFormed()
      ? loneSurrogates(member, memberPointer)
      : [{ pointer: memberPointer, code: 'lone-surrogate' }];
  });
}
