import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import { AccessTokenIssuer } from '../auth/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import type { AccountCredentials } from '../service-accounts/index.js';

export interface TokenRequest {
  /** Scope tokens, separated by spaces. */
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  /** RFC 8707. */
  readonly resource?: string | undefined;
}

export type TokenOutcome =
  | {
      readonly outcome: 'issued';
      readonly accessToken: Secret;
      readonly expiresInSeconds: number;
      /** What the token allows now, separated by spaces. */
      readonly scope: string;
    }
  | { readonly outcome: 'invalid-scope' }
  | { readonly outcome: 'invalid-target' };

/** Issues access tokens to service accounts (RFC 6749 section 4.4). */
@Injectable()
export class ClientTokens {
  constructor(
    private readonly tokens: AccessTokenIssuer,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Without a scope, the token allows what the account is permitted at the time of each use. With a scope, it never allows more
   * than that.
   *
   * @throws RedisUnavailableError
   */
  async issue(
    client: AccountCredentials,
    { scope, audience, resource }: TokenRequest,
    origin: Origin,
    deadline: Deadline,
  ): Promise<TokenOutcome> {
    const scopes = scope === undefined ? undefined : [...new Set(scope.split(' '))];
    if (scopes?.some((one) => !client.permissions.includes(one))) {
      return { outcome: 'invalid-scope' };
    }
    const targets = [...new Set([audience, resource].filter((one) => one !== undefined))];
    const audiences = targets.length > 0 ? targets : client.audiences.slice(0, 1);
    if (audiences.some((one) => !client.audiences.includes(one))) {
      return { outcome: 'invalid-target' };
    }
    const { id, epoch } = client;
    const accessToken = await this.tokens.issueToClient(
      { id, epoch, audiences, scope: scopes?.join(' ') },
      deadline,
    );
    this.audit.record({
      type: 'client-token-issued',
      result: 'success',
      clientId: id,
      ...origin.asClient(id).facts,
      details: { audiences, scope: scopes },
    });
    return {
      outcome: 'issued',
      accessToken,
      expiresInSeconds: this.tokens.ttlSeconds,
      scope: (scopes ?? client.permissions).join(' '),
    };
  }
}
