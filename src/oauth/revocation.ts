import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import { RefreshTokens } from '../auth/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { ServiceAccountStore, type AccountCredentials } from '../service-accounts/index.js';
import { SessionsService } from '../sessions/index.js';
import { IssuedTokens } from './issued-tokens.js';

/**
 * Revokes tokens (RFC 7009 section 2.1). The session of a refresh token ends. Of an access token, only this token is revoked.
 * Whoever holds a token of a user can revoke it, as at `POST /api/logout`. A token of another service account is left alone.
 */
@Injectable()
export class TokenRevocation {
  constructor(
    private readonly tokens: IssuedTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionsService,
    private readonly accounts: ServiceAccountStore,
    private readonly audit: AuditLog,
  ) {}

  /**
   * When it returns, no instance accepts the token. It also succeeds for an unknown token, and for one that was revoked before:
   * its caller may repeat a call that was not confirmed.
   *
   * @throws RedisUnavailableError, NotConfirmedError: repeating the call is safe
   */
  async revoke(
    client: AccountCredentials,
    token: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const byClient = origin.asClient(client.id);
    const refreshToken = this.refreshTokens.recognize(token);
    if (refreshToken) {
      const { userId, sessionId } = refreshToken;
      await this.sessions.endIfLive(userId, sessionId, byClient, deadline);
      return;
    }
    const claims = await this.tokens.claimsOf(token, deadline);
    if (!claims) {
      return;
    }
    const { sub, sid, jti: tokenId, exp } = claims;
    const expiresAt = new Date(exp * 1000);
    if (sid !== undefined) {
      const revoked = { userId: sub, sessionId: sid, tokenId, expiresAt };
      await this.sessions.revokeToken(revoked, byClient, deadline);
    } else if (sub === client.id) {
      await this.audit.recordChange(
        [{ type: 'token-revoked', clientId: sub, ...byClient.facts, details: { tokenId } }],
        async () => this.accounts.revokeToken(sub, tokenId, expiresAt, deadline),
        Boolean,
      );
    }
  }
}
