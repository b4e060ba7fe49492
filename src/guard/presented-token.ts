import { jwtVerify } from 'jose';

import type { PublicKeys } from '../keys/read/index.js';
import { accountCacheKey } from '../service-accounts/read/index.js';
import { sessionCacheKey } from '../user-slot/read/index.js';
import { credentialsOf, tokenIn } from './bearer-token.js';
import { acceptedClaims, isOfUser, type AccessTokenClaims } from './claims.js';
import { parseCompactToken } from './compact-token.js';
import type { VerifiedToken } from './verified-tokens.js';

interface Expected {
  /** Undefined: any. */
  readonly audience: string | undefined;
}

/** Checks form and claims of a token, and finds its key. It checks neither the signature nor the session. */
export function checkForm(
  token: string,
  keys: PublicKeys,
  { audience, nowSeconds }: Expected & { readonly nowSeconds: number },
): VerifiedToken | undefined {
  const parsed = parseCompactToken(token);
  const key = parsed && keys.byId.get(parsed.kid);
  if (!key) {
    return undefined;
  }
  const claims = acceptedClaims(parsed.payload, {
    issuer: keys.issuer,
    audience,
    now: nowSeconds,
  });
  return claims && tokenOf(claims, token, { key, kid: parsed.kid });
}

/** Checks the signature of a token, and its claims once more. */
export async function hasValidSignature(
  { credentials, key, claims }: VerifiedToken,
  { issuer }: PublicKeys,
  { audience, nowMs }: Expected & { readonly nowMs: number },
): Promise<boolean> {
  try {
    await jwtVerify(tokenIn(credentials), key, {
      algorithms: ['ES256'],
      issuer,
      ...(audience === undefined ? {} : { audience }),
      typ: 'at+jwt',
      clockTolerance: 10,
      currentDate: new Date(nowMs),
      requiredClaims: [
        ...['aud', 'sub', 'client_id', 'iat', 'exp', 'jti'],
        isOfUser(claims) ? 'sid' : 'epoch',
      ],
    });
    return true;
  } catch {
    return false; // Clients must not learn which check failed.
  }
}

function tokenOf(
  claims: AccessTokenClaims,
  token: string,
  key: Pick<VerifiedToken, 'key' | 'kid'>,
): VerifiedToken {
  const { sub, scope } = claims;
  // A copy in one piece: V8 compares strings of several pieces, and parts of strings, much more slowly.
  const credentials = Buffer.from(credentialsOf(token), 'latin1').toString('latin1');
  const verified = { credentials, ...key };
  const limit = scope === undefined ? {} : { scope: new Set(scope.split(' ')) };
  return isOfUser(claims)
    ? { ...verified, claims, session: sessionCacheKey(sub, claims.sid), ...limit }
    : { ...verified, claims, account: accountCacheKey(sub), ...limit };
}
