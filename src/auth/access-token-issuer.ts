import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { decodeProtectedHeader } from 'jose';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import type { AccessTokenClaims } from '../guard/index.js';
import { SigningKeys } from '../keys/index.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from './auth.options.js';

/** Signs access tokens (RFC 9068). */
@Injectable()
export class AccessTokenIssuer {
  readonly ttlSeconds: number;
  private readonly options: Required<Omit<AuthOptions, 'audience'>> &
    Pick<AccessTokenClaims, 'aud'>;

  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) options: AuthOptions,
  ) {
    const { audience, ...others } = { ...AUTH_DEFAULTS, ...options };
    const audiences = [...new Set([audience].flat())];
    this.options = { ...others, aud: audiences.length === 1 ? audiences[0]! : audiences };
    this.ttlSeconds = this.options.accessTtlSeconds;
  }

  /** Whether the key of a token that Keyslot has issued still verifies. @throws RedisUnavailableError */
  async isKeyValid(token: string, deadline: Deadline): Promise<boolean> {
    const { kid = '' } = decodeProtectedHeader(token);
    return this.keys.verifies(kid, deadline);
  }

  async issue(
    user: { readonly id: string; readonly roles: readonly string[] },
    sessionId: string,
    deadline: Deadline,
  ): Promise<Secret> {
    // Before the key is chosen: however long this takes, the key verifies until the token has expired.
    const iat = this.clock.nowSeconds();
    const key = await this.keys.current(deadline);
    const claims: AccessTokenClaims = {
      iss: key.issuer,
      aud: this.options.aud,
      sub: user.id,
      client_id: this.options.clientId,
      iat,
      exp: iat + this.ttlSeconds,
      jti: randomUUID(),
      sid: sessionId,
      roles: user.roles,
    };
    const token = await this.jwt.signAsync(claims, {
      // A KeyObject, because a key in text form would be parsed for every token.
      privateKey: key.privateKey,
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
    });
    return new Secret(token);
  }
}
