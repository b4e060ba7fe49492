import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { KeyObject } from 'node:crypto';

import type { SessionKey } from '../user-slot/read/index.js';
import type { AccessTokenClaims } from './claims.js';

const MAX_TOKENS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Claims, key and place in the table. */
const OVERHEAD_BYTES = 1024;
/** Where the signature stands (ES256: 64 bytes, RFC 7518 section 3.4). */
const SIGNATURE_CHARACTERS = 86;

/** A token whose signature is right. That says nothing about its session. */
export interface VerifiedToken {
  readonly token: string;
  readonly claims: AccessTokenClaims;
  readonly kid: string;
  readonly key: KeyObject;
  readonly session: SessionKey;
}

/**
 * Tokens that this instance has verified, by all their bytes. What is true of bytes stays true, so this needs no
 * coherence; whether a token counts is decided by its key, its time and its session on every request.
 */
@Injectable()
export class VerifiedTokens {
  /** By the signature, because to hash a whole token costs more than all else that a warm request looks at. */
  private readonly tokens = new LRUCache<string, VerifiedToken>({
    max: MAX_TOKENS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ token }) => token.length + OVERHEAD_BYTES,
  });

  /** As estimated. */
  get bytes(): number {
    return this.tokens.calculatedSize;
  }

  get(token: string): VerifiedToken | undefined {
    const verified = this.tokens.get(signatureOf(token));
    // Another one that ends alike is not what was verified.
    return verified?.token === token ? verified : undefined;
  }

  add(verified: VerifiedToken): void {
    this.tokens.set(signatureOf(verified.token), verified);
  }
}

function signatureOf(token: string): string {
  return token.slice(-SIGNATURE_CHARACTERS);
}
