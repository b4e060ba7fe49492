import { Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import { AccessTokenIssuer, type TokenSession } from './access-token-issuer.js';
import { RefreshTokens } from './refresh-tokens.js';

export interface IssuedTokens {
  readonly accessToken: Secret;
  readonly expiresInSeconds: number;
  readonly refreshToken: Secret;
  readonly sessionId: string;
  /** The permissions to which the access token is limited, separated by spaces. Absent: no limit. */
  readonly scope?: string;
}

/** Issues the tokens of a session, for a login and for a refresh. */
@Injectable()
export class SessionTokens {
  constructor(
    private readonly accessTokens: AccessTokenIssuer,
    private readonly refreshTokens: RefreshTokens,
  ) {}

  /** Whether the key of an access token still verifies. @throws RedisUnavailableError */
  async isKeyValid(accessToken: string, deadline: Deadline): Promise<boolean> {
    return this.accessTokens.isKeyValid(accessToken, deadline);
  }

  async issue(
    user: { readonly id: string; readonly roles: readonly string[] },
    session: TokenSession,
    deadline: Deadline,
    scope?: string,
  ): Promise<IssuedTokens> {
    return {
      accessToken: await this.accessTokens.issue(user, session, deadline, scope),
      expiresInSeconds: this.accessTokens.ttlSeconds,
      refreshToken: this.refreshTokens.issue(user.id, session.id),
      sessionId: session.id,
      ...(scope === undefined ? {} : { scope }),
    };
  }
}
