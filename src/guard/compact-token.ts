const MAX_LENGTH = 8192;
const SIGNATURE_BYTES = 64; // ES256: r and s, RFC 7518 section 3.4
const HEADER_MEMBERS = new Set(['alg', 'typ', 'kid']);
const TYPES = new Set(['at+jwt', 'application/at+jwt']);

export interface CompactToken {
  readonly kid: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Parses a compact JWS strictly. Each token has exactly one accepted encoding, and its header has no members except `alg`,
 * `typ` and `kid`. So `crit`, `jwk`, `jku` and similar members can have no effect (RFC 8725 section 3.10). It also rejects
 * what libraries accept: padding, unused bits, white space, duplicate members.
 *
 * It does not verify the signature.
 */
export function parseCompactToken(token: string): CompactToken | undefined {
  if (token.length > MAX_LENGTH) {
    return undefined;
  }
  const segments = token.split('.');
  const [headerBytes, payloadBytes, signature] = segments.map(decodeSegment);
  if (segments.length !== 3 || !headerBytes || !payloadBytes || !signature) {
    return undefined;
  }
  const header = parseObject(headerBytes);
  const payload = parseObject(payloadBytes);
  if (!header || !payload || signature.length !== SIGNATURE_BYTES) {
    return undefined;
  }
  const { alg, typ, kid } = header;
  const isAccepted =
    Object.keys(header).every((member) => HEADER_MEMBERS.has(member)) &&
    alg === 'ES256' &&
    typeof typ === 'string' &&
    TYPES.has(typ.toLowerCase()) &&
    typeof kid === 'string';
  return isAccepted ? { kid, payload } : undefined;
}

function decodeSegment(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === segment ? bytes : undefined;
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // A duplicate member or another encoding would serialize to a different text.
    return isObject && JSON.stringify(value) === text
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
