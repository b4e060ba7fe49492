import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { KeyObject } from 'node:crypto';

import type { SessionKey } from '../../sessions/index.js';
import type { AccessTokenClaims } from './claims.js';

const MAX_TOKENS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Claims, key and place in the table. */
const OVERHEAD_BYTES = 1024;

/** A token whose signature is right. That says nothing about its session. */
export interface VerifiedToken {
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
  private readonly tokens = new LRUCache<string, VerifiedToken>({
    max: MAX_TOKENS,
    maxSize: MAX_BYTES,
    sizeCalculation: (_, token) => token.length + OVERHEAD_BYTES,
  });

  /** As estimated. */
  get bytes(): number {
    return this.tokens.calculatedSize;
  }

  get(token: string): VerifiedToken | undefined {
    return this.tokens.get(token);
  }

  add(token: string, verified: VerifiedToken): void {
    this.tokens.set(token, verified);
  }
}
