import type { IncomingMessage } from 'node:http';

export type BearerToken =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

const HEADER = 'authorization';
const USUAL_SCHEME = 'Bearer ';
const SPACE = 0x20;
const BEARER = /^bearer +([A-Za-z0-9_.-]+)$/i;
/** The scheme, and anything behind it. */
const BEARER_CREDENTIALS = /^bearer\s+\S/i;

/**
 * The token of the `Authorization` header: one header, the scheme, spaces, one token and nothing else (RFC 6750
 * section 2.1: `1*SP`). Query, body and cookies are not looked at. An empty header, the scheme alone and another scheme are no
 * token (section 3.1: no authentication information, or an unsupported method). Several headers, or anything but one
 * token behind the scheme, are a malformed one.
 */
export function bearerToken(request: IncomingMessage): BearerToken {
  const header = singleAuthorizationHeader(request);
  if (header === undefined || (header !== null && !BEARER_CREDENTIALS.test(header))) {
    return { kind: 'none' };
  }
  const token = BEARER.exec(header ?? '')?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token };
}

/**
 * What stands where a token usually stands, unchecked: only to be compared with tokens that were accepted before, and so
 * were checked then.
 */
export function uncheckedToken(request: IncomingMessage): string | undefined {
  const header = singleAuthorizationHeader(request);
  if (!header?.startsWith(USUAL_SCHEME)) {
    return undefined;
  }
  let start = USUAL_SCHEME.length;
  while (header.charCodeAt(start) === SPACE) {
    start += 1;
  }
  return header.slice(start);
}

/** @returns undefined when there is none, null when there are several: Node keeps the first and hides the others */
function singleAuthorizationHeader({ rawHeaders }: IncomingMessage): string | null | undefined {
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
