import { createPublicKey, type JsonWebKey } from 'node:crypto';

import { MAX_PUBLIC_KEYS } from './account-limits.js';
import type { Rule, RuleFailure } from '../../common/validation/index.js';

/** A public key of a client (RFC 7517). */
export interface ClientKey {
  readonly kty: 'EC' | 'OKP' | 'RSA';
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: 'sig';
}

export interface ClientKeySet {
  readonly keys: readonly ClientKey[];
}

/** The algorithms that each kind of key may sign with. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  RSA: ['PS256', 'RS256'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};
export const CLIENT_ALGORITHMS = Object.values(ALGORITHMS).flat();

/** Members of private and of symmetric keys (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'] as const;
const RSA_MIN_BITS = 2048; // RFC 7518 section 3.3
/** Limits the cost of a verification, together with the exponent. */
const RSA_MAX_BITS = 4096;
const RSA_EXPONENT = 65_537n; // FIPS 186-5 appendix A.1.1: at least this one. Larger ones only cost time.
const MEMBER_MAX_LENGTH = 1024;
const KID_MAX_LENGTH = 200;

/** Accepts a JWK Set of public keys (RFC 7517 section 5): EC P-256, RSA with 2048 to 4096 bits, or Ed25519. */
export const publicKeySet: Rule = (value) => {
  const keys = isRecord(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys)) {
    return { code: 'not-a-key-set' };
  }
  if (keys.length > MAX_PUBLIC_KEYS) {
    return { code: 'too-many-items', params: { max: MAX_PUBLIC_KEYS } };
  }
  for (const [index, key] of keys.entries()) {
    const failure = failureOf(key, index);
    if (failure) {
      return failure;
    }
  }
  return undefined;
};

/** @returns only the members that are stored. @param keys a valid set */
export function publicKeysOf({ keys }: ClientKeySet): ClientKeySet {
  return {
    keys: keys.map(
      (key) =>
        Object.fromEntries(
          PUBLIC_MEMBERS.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])),
        ) as unknown as ClientKey,
    ),
  };
}

/** The algorithms with which a key may sign. */
export function algorithmsOf({ kty, crv, alg }: ClientKey): readonly string[] {
  const known = ALGORITHMS[kty === 'RSA' ? kty : `${kty} ${crv}`] ?? [];
  return alg === undefined ? known : known.filter((one) => one === alg);
}

function failureOf(key: unknown, index: number): RuleFailure | undefined {
  const params = { index };
  if (!isRecord(key)) {
    return { code: 'not-a-public-key', params };
  }
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(key, name))) {
    return { code: 'private-key', params };
  }
  return isPublicKey(key) ? undefined : { code: 'not-a-public-key', params };
}

function isPublicKey(key: Record<string, unknown>): boolean {
  const isText = PUBLIC_MEMBERS.every((name) => {
    const value = key[name];
    return value === undefined || (typeof value === 'string' && value.length <= MEMBER_MAX_LENGTH);
  });
  const { kid, use } = key;
  if (!isText || (typeof kid === 'string' && kid.length > KID_MAX_LENGTH)) {
    return false;
  }
  if (
    (use !== undefined && use !== 'sig') ||
    algorithmsOf(key as unknown as ClientKey).length === 0
  ) {
    return false;
  }
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    const { modulusLength, publicExponent } = asymmetricKeyDetails ?? {};
    return (
      key['kty'] !== 'RSA' ||
      (modulusLength !== undefined &&
        modulusLength >= RSA_MIN_BITS &&
        modulusLength <= RSA_MAX_BITS &&
        publicExponent === RSA_EXPONENT)
    );
  } catch {
    return false; // for example a point that is not on the curve
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
