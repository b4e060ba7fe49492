/** Spaces, controls and what is not ASCII: it has to be encoded. */
const NOT_ENCODED = /[^!-~]/;

/**
 * Reads a form (`application/x-www-form-urlencoded`, WHATWG URL section 5.1).
 *
 * @returns the fields. Undefined for a form with a repeated field (RFC 6749 section 3.2), with bytes that are no UTF-8, or
 * with a character that has to be encoded
 */
export function formFrom(text: string): Record<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const field of text.split('&').filter(Boolean)) {
    const equals = field.indexOf('=');
    const name = decoded(equals < 0 ? field : field.slice(0, equals));
    const value = decoded(equals < 0 ? '' : field.slice(equals + 1));
    // As the parser of JSON refuses it.
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
    return undefined; // no UTF-8, or no two digits behind a percent sign
  }
}
