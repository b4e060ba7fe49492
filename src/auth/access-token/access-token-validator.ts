import { Inject, Injectable } from '@nestjs/common';
import { jwtVerify } from 'jose';
import type { KeyObject } from 'node:crypto';

import type { Principal } from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import { SigningKeys } from '../../keys/index.js';
import { SessionsService, type SessionState } from '../../sessions/index.js';
import { AUTH_OPTIONS } from '../auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from '../auth.options.js';
import { acceptedClaims, type AccessTokenClaims } from './claims.js';
import { parseCompactToken } from './compact-token.js';

interface CheckedToken {
  readonly token: string;
  readonly claims: AccessTokenClaims;
  readonly key: KeyObject;
  readonly issuer: string;
}

/**
 * Decides whether an access token is accepted: strict checks of form and claims in memory, then one round trip that
 * tells both whether the token was verified before and whether its session lives. The signature is checked when nobody
 * has done so yet.
 */
@Injectable()
export class AccessTokenValidator {
  private readonly audience: string;

  constructor(
    private readonly keys: SigningKeys,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) options: AuthOptions,
  ) {
    this.audience = options.audience ?? AUTH_DEFAULTS.audience;
  }

  /**
   * @returns who the token speaks for, or undefined when it is not accepted, for whatever reason
   * @throws RedisUnavailableError when Redis cannot be asked: nobody is let through then
   */
  async validate(token: string): Promise<Principal | undefined> {
    const checked = await this.check(token);
    if (!checked) {
      return undefined;
    }
    let session = await this.askForSession(checked, false);
    if (session.state === 'unverified') {
      if (!(await this.hasValidSignature(checked))) {
        return undefined;
      }
      session = await this.askForSession(checked, true);
    }
    if (session.state !== 'live') {
      return undefined;
    }
    const { sub, sid, jti } = checked.claims;
    return { userId: sub, sessionId: sid, tokenId: jti, user: session.user };
  }

  /** Everything that can be said without the signature and without Redis. */
  private async check(token: string): Promise<CheckedToken | undefined> {
    const parsed = parseCompactToken(token);
    if (!parsed) {
      return undefined;
    }
    const { publicKeys, issuer } = await this.keys.ring();
    const key = publicKeys.get(parsed.kid);
    if (!key) {
      return undefined;
    }
    const now = this.clock.nowSeconds();
    const claims = acceptedClaims(parsed.payload, { issuer, audience: this.audience, now });
    return claims && { token, claims, key, issuer };
  }

  private async askForSession(checked: CheckedToken, isVerified: boolean): Promise<SessionState> {
    const { sub, sid, exp } = checked.claims;
    return this.sessions.use(
      { token: checked.token, userId: sub, sessionId: sid },
      isVerified,
      exp * 1000 - this.clock.now(),
    );
  }

  private async hasValidSignature({ token, key, issuer }: CheckedToken): Promise<boolean> {
    try {
      await jwtVerify(token, key, {
        algorithms: ['ES256'],
        issuer,
        audience: this.audience,
        typ: 'at+jwt',
        clockTolerance: 10,
        currentDate: new Date(this.clock.now()),
        requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti', 'sid'],
      });
      return true;
    } catch {
      return false; // which check failed is nobody's business
    }
  }
}
