import type { IncomingMessage } from 'node:http';

export type BearerToken =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

const BEARER = /^bearer ([A-Za-z0-9_.-]+)$/i;

/**
 * The token of the `Authorization` header: one header, the scheme, one space, one token and nothing else (RFC 6750
 * section 2.1). Query, body and cookies are not looked at.
 */
export function bearerToken(request: IncomingMessage): BearerToken {
  const { rawHeaders } = request;
  let header: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'authorization') {
      continue;
    }
    // Node keeps the first of two and hides the other.
    if (header !== undefined) {
      return { kind: 'malformed' };
    }
    header = rawHeaders[index + 1];
  }
  if (header === undefined) {
    return { kind: 'none' };
  }
  const token = BEARER.exec(header)?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token };
}
