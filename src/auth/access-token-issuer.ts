import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { decodeProtectedHeader } from 'jose';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import type { AccessTokenClaims, ClientTokenClaims, UserTokenClaims } from '../guard/index.js';
import { SigningKeys } from '../keys/index.js';
import type { Authentication } from '../sessions/index.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from './auth.options.js';

/** The session of a token. */
export interface TokenSession {
  readonly id: string;
  readonly authentication: Authentication;
}

/** A token of a service account. */
export interface NewClientToken {
  readonly id: string;
  readonly epoch: number;
  readonly audiences: readonly string[];
  /** Undefined: the token is not limited. */
  readonly scope?: string | undefined;
}

type OwnClaims =
  | Omit<UserTokenClaims, 'iss' | 'iat' | 'exp' | 'jti'>
  | Omit<ClientTokenClaims, 'iss' | 'iat' | 'exp' | 'jti'>;

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
    this.options = { ...others, aud: claimOf([...new Set([audience].flat())]) };
    this.ttlSeconds = this.options.accessTtlSeconds;
  }

  /** Whether the key of a token that Keyslot has issued still verifies. @throws RedisUnavailableError */
  async isKeyValid(token: string, deadline: Deadline): Promise<boolean> {
    const { kid = '' } = decodeProtectedHeader(token);
    return this.keys.verifies(kid, deadline);
  }

  async issue(
    user: { readonly id: string; readonly roles: readonly string[] },
    { id: sid, authentication }: TokenSession,
    deadline: Deadline,
    scope?: string,
  ): Promise<Secret> {
    const { aud, clientId } = this.options;
    // A service that decides by the roles would ignore the scope.
    const roles = scope === undefined ? user.roles : [];
    const { time: auth_time, methods: amr } = authentication;
    const claims = { aud, sub: user.id, client_id: clientId, sid, roles, auth_time, amr };
    return this.sign(scope === undefined ? claims : { ...claims, scope }, deadline);
  }

  async issueToClient(
    { id, epoch, audiences, scope }: NewClientToken,
    deadline: Deadline,
  ): Promise<Secret> {
    const claims = { aud: claimOf(audiences), sub: id, client_id: id, epoch };
    return this.sign(scope === undefined ? claims : { ...claims, scope }, deadline);
  }

  private async sign(own: OwnClaims, deadline: Deadline): Promise<Secret> {
    // Before the key is chosen: however long this takes, the key verifies until the token has expired.
    const iat = this.clock.nowSeconds();
    const key = await this.keys.current(deadline);
    const exp = iat + this.ttlSeconds;
    const claims: AccessTokenClaims = { iss: key.issuer, ...own, iat, exp, jti: randomUUID() };
    const token = await this.jwt.signAsync(claims, {
      // A KeyObject, because a key in text form would be parsed for every token.
      privateKey: key.privateKey,
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
    });
    return new Secret(token);
  }
}

/** A list of one is a text (RFC 7519 section 4.1.3). */
function claimOf(audiences: readonly string[]): AccessTokenClaims['aud'] {
  return audiences.length === 1 ? audiences[0]! : audiences;
}
