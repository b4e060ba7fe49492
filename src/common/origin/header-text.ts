import { isUtf8 } from 'node:buffer';

const NOT_PLAIN = /[^ -~]/;
/** Control characters, line breaks, and what turns the direction of the text around it. */
const UNSEEN_EFFECTS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The text of a header that is shown to people. Node reads each byte as a character (Latin-1). Bytes that are valid UTF-8 are
 * read as that, others stay Latin-1. Control characters are dropped.
 */
export function headerText(value: string): string {
  if (!NOT_PLAIN.test(value)) {
    return value;
  }
  const bytes = Buffer.from(value, 'latin1');
  return (isUtf8(bytes) ? bytes.toString('utf8') : value).replace(UNSEEN_EFFECTS, '');
}

/** @returns at most so many UTF-16 units of a text, without half of a surrogate pair at the end */
export function truncated(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/\p{Cs}$/u, '');
}
