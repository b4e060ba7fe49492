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
/** How many characters of the signature, at the end of a token, are hashed. */
const HASHED_CHARACTERS = 8;
/** Larger numbers are not small integers (Smi) in V8, and are slower to look up. */
const MAX_HASH = 2 ** 30 - 1;

/** A token with a valid signature. Its session may have ended, or its service account may be disabled. */
export type VerifiedToken = UserToken | ClientToken;

interface Verified {
  /** `Bearer <token>`, as most clients send it. It is compared with the whole header of each request. */
  readonly credentials: string;
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
  /**
   * Keyed by a hash of the end of the signature. With the text as the key, V8 would hash all of it for each request, which costs
   * more than the rest of a warm request.
   */
  private readonly tokens = new LRUCache<number, VerifiedToken>({
    max: MAX_TOKENS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ credentials }) => credentials.length + OVERHEAD_BYTES,
  });

  /** Estimated size. */
  get bytes(): number {
    return this.tokens.calculatedSize;
  }

  /** @param credentials `Bearer <token>` */
  get(credentials: string): VerifiedToken | undefined {
    const hash = hashOf(credentials);
    const first = this.tokens.get(hash);
    if (first === undefined || first.credentials === credentials) {
      return first;
    }
    const second = this.tokens.get(hash + 1);
    return second?.credentials === credentials ? second : undefined;
  }

  /** On a collision, the second token has the next hash. A third one replaces the second. */
  add(verified: VerifiedToken): void {
    const hash = hashOf(verified.credentials);
    const other = this.tokens.peek(hash);
    const isTaken = other !== undefined && other.credentials !== verified.credentials;
    this.tokens.set(isTaken ? hash + 1 : hash, verified);
  }
}

function hashOf(credentials: string): number {
  let hash = 0;
  for (let index = credentials.length - HASHED_CHARACTERS; index < credentials.length; index += 1) {
    hash = Math.imul(hash, 31) + credentials.charCodeAt(index);
  }
  return hash & MAX_HASH;
}
