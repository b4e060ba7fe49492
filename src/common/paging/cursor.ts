import { sha256 } from '../digest/index.js';

/** The maximum length of a cursor. It is a parameter of a URL. */
export const CURSOR_MAX_LENGTH = 2000;

const DIGEST_LENGTH = 12;

/**
 * A cursor of a list: a position, bound to the conditions of the list. It is not signed, so the position must not reach anything
 * that the caller may not read.
 *
 * @param position values of JSON
 * @param conditions values of JSON
 */
export function cursorText(position: readonly unknown[], conditions: unknown): string {
  const text = JSON.stringify([digestOf(conditions), ...position]);
  return Buffer.from(text).toString('base64url');
}

/** @returns the position, not checked yet; undefined when the cursor is not one of a list with these conditions */
export function positionIn(cursor: string, conditions: unknown): readonly unknown[] | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
  return Array.isArray(parts) && parts[0] === digestOf(conditions) ? parts.slice(1) : undefined;
}

function digestOf(conditions: unknown): string {
  return sha256(JSON.stringify(conditions)).slice(0, DIGEST_LENGTH);
}
