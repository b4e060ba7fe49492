import { textBetween } from '../validation/index.js';
import { CURSOR_MAX_LENGTH } from './cursor.js';

const isCursor = textBetween(1, CURSOR_MAX_LENGTH);

/**
 * What is wrong with a page that an application's code has returned. The text names no values.
 *
 * @param items the list on the page
 * @param next where the next page begins; null and undefined: nowhere
 * @returns undefined when nothing is wrong
 */
export function pageFault(items: unknown, next: unknown, limit: number): string | undefined {
  if (!Array.isArray(items)) {
    return 'returned a page without its list';
  }
  if (items.length > limit) {
    return `returned a page of ${items.length} for a limit of ${limit}`;
  }
  return (next ?? undefined) !== undefined && isCursor(next)
    ? `returned an invalid cursor: 1 to ${CURSOR_MAX_LENGTH} printable characters are allowed`
    : undefined;
}
