import type { IncomingHttpHeaders } from 'node:http';

/** A request of Node or Express, a request of Fastify, or an object with headers. */
export interface TokenSource {
  /** Names and values, alternately, as received. They count if they are there: `headers` hides repeated headers. */
  readonly rawHeaders?: readonly string[];
  readonly raw?: { readonly rawHeaders?: readonly string[] };
  readonly headers?: IncomingHttpHeaders;
}

export type BearerToken =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

const HEADER = 'authorization';
const SCHEME = 'Bearer ';
const BEARER = /^bearer +([A-Za-z0-9_.-]+)$/i;
/** The scheme, followed by anything. */
const BEARER_CREDENTIALS = /^bearer\s+\S/i;

/**
 * Reads the token from the `Authorization` header: exactly one header with the scheme, spaces and one token (RFC 6750
 * section 2.1: `1*SP`). Query, body and cookies are ignored. `none`: no header, an empty header, the scheme alone, or another
 * scheme (section 3.1: no authentication information, or an unsupported method). `malformed`: several headers, or anything
 * but one token after the scheme.
 */
export function bearerToken(request: TokenSource): BearerToken {
  const header = uncheckedCredentials(request);
  if (header === undefined || (header !== null && !BEARER_CREDENTIALS.test(header))) {
    return { kind: 'none' };
  }
  const token = BEARER.exec(header ?? '')?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token };
}

/** @returns the usual form of the header's value with a token: `Bearer <token>` */
export const credentialsOf = (token: string): string => SCHEME + token;

/** @returns the token in credentials of the usual form */
export const tokenIn = (credentials: string): string => credentials.slice(SCHEME.length);

/**
 * Reads the value of the `Authorization` header without a check of its form. Use it unchecked only to compare it with
 * credentials that were accepted, and so checked, before.
 *
 * @returns undefined without a header, null for several. Node keeps only the first in `headers`
 */
export function uncheckedCredentials(request: TokenSource): string | null | undefined {
  const rawHeaders = request.raw?.rawHeaders ?? request.rawHeaders;
  if (!rawHeaders) {
    return request.headers?.authorization;
  }
  let header: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== HEADER.length || name.toLowerCase() !== HEADER) {
      continue;
    }
    if (header !== undefined) {
      return null;
    }
    header = rawHeaders[index + 1];
  }
  return header;
}
