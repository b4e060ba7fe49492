import type { IncomingMessage } from 'node:http';

import { Secret } from '../common/secret/index.js';
import { field, type Form } from './form-fields.js';

/** RFC 7523 section 2.2. */
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** How a client presents its credentials (RFC 6749 section 2.3). */
export type PresentedCredentials =
  | { readonly kind: 'secret'; readonly clientId: string; readonly secret: Secret }
  | PresentedAssertion
  | { readonly kind: 'none' }
  /** The request must be refused as `invalid_request`. */
  | { readonly kind: 'invalid'; readonly description: string };

export interface PresentedAssertion {
  readonly kind: 'assertion';
  readonly assertion: string;
  /** From the form, if it is there. */
  readonly clientId?: string;
}

/**
 * Reads the credentials of a client from the `Authorization` header (`client_secret_basic`) or from the form
 * (`client_secret_post`, `private_key_jwt`). RFC 6749 section 2.3 allows one method per request. A malformed `Basic` header
 * counts as no credentials.
 */
export function presentedCredentials(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  form: Form,
): PresentedCredentials {
  const headers = authorizationHeaders(rawHeaders);
  const clientId = field(form, 'client_id');
  const secret = field(form, 'client_secret');
  const assertion = field(form, 'client_assertion');
  const methods = [headers.length > 0, secret !== undefined, assertion !== undefined];
  if (headers.length > 1 || methods.filter(Boolean).length > 1) {
    return { kind: 'invalid', description: 'Use one method of client authentication.' };
  }
  const [header] = headers;
  if (header !== undefined) {
    return basicCredentials(header, clientId);
  }
  if (assertion !== undefined) {
    return field(form, 'client_assertion_type') === JWT_BEARER
      ? { kind: 'assertion', assertion, ...(clientId === undefined ? {} : { clientId }) }
      : { kind: 'invalid', description: `The client_assertion_type must be ${JWT_BEARER}.` };
  }
  return secret !== undefined && clientId !== undefined
    ? { kind: 'secret', clientId, secret: new Secret(secret) }
    : { kind: 'none' };
}

/** Both parts are encoded as in a form (RFC 6749 section 2.3.1). */
function basicCredentials(header: string, formClientId: string | undefined): PresentedCredentials {
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) {
    return { kind: 'none' };
  }
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  const clientId = formDecoded(text.slice(0, Math.max(colon, 0)));
  const secret = formDecoded(text.slice(colon + 1));
  if (colon < 0 || clientId === undefined || secret === undefined) {
    return { kind: 'none' };
  }
  if (formClientId !== undefined && formClientId !== clientId) {
    return { kind: 'invalid', description: 'The client_id differs from the Authorization header.' };
  }
  return { kind: 'secret', clientId, secret: new Secret(secret) };
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** All of them: Node keeps only the first in `headers`. */
function authorizationHeaders(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
}
