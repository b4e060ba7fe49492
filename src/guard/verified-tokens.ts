import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { KeyObject } from 'node:crypto';

import type { AccountKey } from '../service-accounts/read/index.js';
import type { SessionKey } from '../user-slot/read/index.js';
import type { ClientTokenClaims, UserTokenClaims } from './claims.js';

const MAX_TOKENS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** The claims, the key, and the entry in the table. */
const OVERHEAD_BYTES = 1024;
/** Length of the signature at the end of a token (ES256: 64 bytes, RFC 7518 section 3.4). */
const SIGNATURE_CHARACTERS = 86;

/** A token with a valid signature. Its session may have ended, or its service account may be disabled. */
export type VerifiedToken = UserToken | ClientToken;

interface Verified {
  readonly token: string;
  readonly kid: string;
  readonly key: KeyObject;
  /** The permissions to which the token is limited. */
  readonly scope?: ReadonlySet<string>;
}

export interface UserToken extends Verified {
  readonly claims: UserTokenClaims;
  readonly session: SessionKey;
}

export interface ClientToken extends Verified {
  readonly claims: ClientTokenClaims;
  readonly account: AccountKey;
}

/**
 * Tokens whose signatures this instance has verified. A valid signature stays valid, so this cache needs no invalidation.
 * Every request checks the key, the expiry and the session of the token.
 */
@Injectable()
export class VerifiedTokens {
  /** By signature: hashing a whole token would cost more than all other steps of a warm request. */
  private readonly tokens = new LRUCache<string, VerifiedToken>({
    max: MAX_TOKENS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ token }) => token.length + OVERHEAD_BYTES,
  });

  /** Estimated size. */
  get bytes(): number {
    return this.tokens.calculatedSize;
  }

  get(token: string): VerifiedToken | undefined {
    const verified = this.tokens.get(signatureOf(token));
    // Another token with the same signature was not verified.
    return verified?.token === token ? verified : undefined;
  }

  add(verified: VerifiedToken): void {
    this.tokens.set(signatureOf(verified.token), verified);
  }
}

function signatureOf(token: string): string {
  return token.slice(-SIGNATURE_CHARACTERS);
}
