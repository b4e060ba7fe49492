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
/** How many characters of the signature, at the end of a token, make up its number. */
const NUMBER_CHARACTERS = 8;
/** Larger numbers are no small integers of V8, and slower to find. */
const MAX_NUMBER = 2 ** 30 - 1;

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
   * By a number from the signature. A string as a key would cost more than all other steps of a warm request, because V8 would
   * have to hash it.
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
    const number = numberOf(credentials);
    const first = this.tokens.get(number);
    if (first === undefined || first.credentials === credentials) {
      return first;
    }
    const second = this.tokens.get(number + 1);
    return second?.credentials === credentials ? second : undefined;
  }

  /** Two tokens with the same number are rare, and stand beside each other. Of three, the last one replaces the second. */
  add(verified: VerifiedToken): void {
    const number = numberOf(verified.credentials);
    const isTaken =
      (this.tokens.peek(number)?.credentials ?? verified.credentials) !== verified.credentials;
    this.tokens.set(isTaken ? number + 1 : number, verified);
  }
}

function numberOf(credentials: string): number {
  let number = 0;
  for (let index = credentials.length - NUMBER_CHARACTERS; index < credentials.length; index += 1) {
    number = Math.imul(number, 31) + credentials.charCodeAt(index);
  }
  return number & MAX_NUMBER;
}
