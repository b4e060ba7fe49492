import { Injectable } from '@nestjs/common';
import { decodeJwt } from 'jose';

import { RefreshTokens, type RecognizedToken } from '../auth/index.js';
import { ADMINISTRATOR, type Permission, type Principal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import {
  isOfUser,
  lacksSecondFactor,
  type AccessTokenClaims,
  type UserTokenClaims,
} from '../guard/index.js';
import { RoleReader } from '../roles/read/index.js';
import { SessionsService } from '../sessions/index.js';
import { Endpoints } from './endpoints.js';
import { IssuedTokens } from './issued-tokens.js';

/** The state of a token (RFC 7662 section 2.2). Nothing is said about a token that is not active. */
export type Introspection = { readonly active: false } | ActiveToken;

export interface ActiveToken {
  readonly active: true;
  /** What the token allows now, separated by spaces. */
  readonly scope?: string;
  readonly client_id?: string;
  readonly username?: string;
  readonly token_type?: 'Bearer';
  readonly exp: number;
  readonly iat?: number;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly iss: string;
  readonly jti?: string;
  readonly sid?: string;
  /** The current roles of the user. Empty if the token has a scope, because roles would grant more. */
  readonly roles?: readonly string[];
  /** When and how the user authenticated (RFC 9470 section 6.2). Only for users. */
  readonly auth_time?: number;
  readonly amr?: readonly string[];
}

const INACTIVE: Introspection = { active: false };

/**
 * Tells whether a token is accepted at this moment, with the same promise as the guard: when a call that revokes it has returned,
 * the answer is no. A warm token costs no Redis command. It never spends a refresh token.
 */
@Injectable()
export class TokenIntrospection {
  constructor(
    private readonly tokens: IssuedTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionsService,
    private readonly roles: RoleReader,
    private readonly endpoints: Endpoints,
    private readonly clock: Clock,
  ) {}

  /** @throws RedisUnavailableError */
  async introspect(token: string, deadline: Deadline): Promise<Introspection> {
    const refreshToken = this.refreshTokens.recognize(token);
    if (refreshToken) {
      return this.ofRefreshToken(refreshToken, deadline);
    }
    const principal = this.tokens.recall(token) ?? (await this.tokens.validate(token, deadline));
    return principal && !(await lacksSecondFactor(principal, this.roles, deadline))
      ? this.ofAccessToken(token, principal, deadline)
      : INACTIVE;
  }

  private async ofAccessToken(
    token: string,
    principal: Principal,
    deadline: Deadline,
  ): Promise<ActiveToken> {
    const claims = decodeJwt<AccessTokenClaims>(token) as AccessTokenClaims;
    const { client_id, exp, iat, sub, aud, iss, jti, scope } = claims;
    const allowed = limited(await this.permissionsOf(principal, deadline), scope);
    const ofUser =
      principal.kind === 'user'
        ? { username: principal.user.username, roles: principal.scope ? [] : principal.user.roles }
        : {};
    return {
      active: true,
      // RFC 6749 section 3.3 allows no empty scope.
      ...(allowed.length > 0 ? { scope: allowed.join(' ') } : {}),
      client_id,
      token_type: 'Bearer',
      exp,
      iat,
      sub,
      aud,
      iss,
      jti,
      ...(isOfUser(claims) ? sessionClaimsOf(claims) : {}),
      ...ofUser,
    };
  }

  private async permissionsOf(
    principal: Principal,
    deadline: Deadline,
  ): Promise<readonly Permission[]> {
    if (principal.kind === 'client') {
      return principal.permissions;
    }
    const roles = this.roles.recall() ?? (await this.roles.current(deadline));
    return roles.grantedBy(principal.user.roles) ?? roles.find(ADMINISTRATOR)?.permissions ?? [];
  }

  /** Its audience is Keyslot itself, so that no service takes it for an access token. */
  private async ofRefreshToken(
    { userId, sessionId, token }: RecognizedToken,
    deadline: Deadline,
  ): Promise<Introspection> {
    const leftMs = await this.sessions.refreshTokenLife(userId, sessionId, token, deadline);
    if (leftMs <= 0) {
      return INACTIVE;
    }
    const issuer = await this.endpoints.issuer(deadline);
    const exp = Math.floor((this.clock.now() + leftMs) / 1000);
    return { active: true, exp, sub: userId, aud: issuer, iss: issuer, sid: sessionId };
  }
}

function sessionClaimsOf({ sid, auth_time, amr }: UserTokenClaims): Partial<ActiveToken> {
  return {
    sid,
    ...(auth_time === undefined ? {} : { auth_time }),
    ...(amr === undefined ? {} : { amr }),
  };
}

function limited(permissions: readonly Permission[], scope: string | undefined): readonly string[] {
  if (scope === undefined) {
    return permissions;
  }
  const limit = new Set(scope.split(' '));
  return permissions.filter((permission) => limit.has(permission));
}
