import { isUtf8 } from 'node:buffer';

const NOT_PRINTABLE_ASCII = /[^ -~]/;
/** Control characters, line breaks, and bidirectional control characters. */
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Decodes a header for display. Node decodes headers as Latin-1. Bytes that are valid UTF-8 are decoded as UTF-8 instead.
 * Control characters are removed.
 */
export function headerText(value: string): string {
  if (!NOT_PRINTABLE_ASCII.test(value)) {
    return value;
  }
  const bytes = Buffer.from(value, 'latin1');
  return (isUtf8(bytes) ? bytes.toString('utf8') : value).replace(CONTROL_CHARACTERS, '');
}

/** @returns at most `maxLength` UTF-16 units of a text, without a lone surrogate at the end */
export function truncated(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/\p{Cs}$/u, '');
}
