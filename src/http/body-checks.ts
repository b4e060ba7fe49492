import { Problem, type InvalidMember } from '../common/problem/index.js';
import { pointerTo } from '../common/validation/index.js';

/** Deeper than any body of Keyslot's routes, and safe for recursive code. */
const MAX_LEVELS = 16;
/** More members and items than any body of Keyslot's routes has. Limits the work and the size of an error response. */
const MAX_VALUES = 1000;

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED_STRING = '"(?:[^"\\\\]|\\\\.)*"';
const NOT_UTF_8 = 'charset=(?!(?:utf-8|"utf-8")[ \\t]*(?:;|$))';

/**
 * Matches a media type with any parameters, including empty ones (RFC 9110 sections 5.6.6 and 8.3.1), except a charset other
 * than UTF-8. The alternatives are disjoint, so matching takes linear time.
 *
 * @param type `application/json`
 */
export function utf8MediaType(type: string): RegExp {
  return new RegExp(
    `^${type}[ \\t]*(?:;[ \\t]*(?:(?!${NOT_UTF_8})${TOKEN}=(?:${TOKEN}|${QUOTED_STRING})[ \\t]*)?)*$`,
    'i',
  );
}

/** Checks the limits that apply to the bodies of all routes. */
export function bodyProblem(body: unknown): Problem | null {
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
 * Finds values and names with a lone surrogate, which an escape such as `"\ud83d"` produces. UTF-8 cannot encode one: all of
 * them would be hashed and stored as U+FFFD, so different passwords would become equal.
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
