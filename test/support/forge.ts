import { createHmac, sign, type KeyObject } from 'node:crypto';

/** A header or payload: bytes or text as they are, anything else as JSON. */
type Part = unknown;

export const b64 = (part: Part): string =>
  (Buffer.isBuffer(part)
    ? part
    : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
  ).toString('base64url');

/** A compact JWS of any header and payload, signed correctly with ES256. */
export function signEs256(header: Part, payload: Part, key: KeyObject): string {
  const input = `${b64(header)}.${b64(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function signHmac(
  hash: 'sha256' | 'sha384' | 'sha512',
  header: Part,
  payload: Part,
  secret: string | Buffer,
): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

export function decode(token: string): {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
} {
  const [header = '', payload = ''] = token
    .split('.')
    .map((segment) => Buffer.from(segment, 'base64url').toString());
  return {
    header: JSON.parse(header) as Record<string, unknown>,
    payload: JSON.parse(payload) as Record<string, unknown>,
  };
}

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** The other valid signature of the same message: (r, n - s). */
export function signatureTwin(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = (ORDER - s).toString(16).padStart(64, '0');
  const forged = Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')]);
  return `${header}.${payload}.${forged.toString('base64url')}`;
}
