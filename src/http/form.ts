/** Spaces, control characters and non-ASCII: they must be percent-encoded. */
const NOT_ENCODED = /[^!-~]/;

/**
 * Parses a form (`application/x-www-form-urlencoded`, WHATWG URL section 5.1).
 *
 * @returns the fields. Undefined for a repeated field (RFC 6749 section 3.2), invalid UTF-8, or a character that must be
 * percent-encoded
 */
export function parseForm(text: string): Record<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const field of text.split('&').filter(Boolean)) {
    const equals = field.indexOf('=');
    const name = decoded(equals < 0 ? field : field.slice(0, equals));
    const value = decoded(equals < 0 ? '' : field.slice(equals + 1));
    // The JSON parser refuses `__proto__` too.
    if (name === undefined || value === undefined || name === '__proto__' || fields.has(name)) {
      return undefined;
    }
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

function decoded(text: string): string | undefined {
  if (NOT_ENCODED.test(text)) {
    return undefined;
  }
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined; // invalid UTF-8, or a malformed percent sequence
  }
}
