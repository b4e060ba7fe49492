import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import { recordThrottling } from '../credentials/index.js';
import { RateLimiter, type TooManyAttempts } from '../rate-limit/index.js';
import { isOneOf, type AccountCredentials } from '../service-accounts/index.js';
import { ClientAccounts, FAILURES_PER_ADDRESS } from './client-accounts.js';
import { ClientAssertions } from './client-assertions.js';
import type { PresentedCredentials } from './presented-credentials.js';

export type AuthenticationOutcome =
  | { readonly outcome: 'authenticated'; readonly client: AccountCredentials }
  | { readonly outcome: 'refused' }
  | TooManyAttempts;

/** Authenticates service accounts (RFC 6749 section 2.3). */
@Injectable()
export class ClientAuthentication {
  constructor(
    private readonly accounts: ClientAccounts,
    private readonly assertions: ClientAssertions,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /** @throws RedisUnavailableError, NotConfirmedError */
  async authenticate(
    credentials: Exclude<PresentedCredentials, { readonly kind: 'invalid' }>,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AuthenticationOutcome> {
    const network = networkOf(origin.facts.ip ?? '');
    const client = await this.accountOf(credentials, network, deadline);
    if (client && !client.isDisabled) {
      return { outcome: 'authenticated', client };
    }
    return this.refuse(client, network, origin, deadline);
  }

  private async accountOf(
    credentials: Exclude<PresentedCredentials, { readonly kind: 'invalid' }>,
    network: string,
    deadline: Deadline,
  ): Promise<AccountCredentials | undefined> {
    switch (credentials.kind) {
      case 'none':
        return undefined;
      case 'assertion':
        return this.assertions.accountOf(credentials, network, deadline);
      case 'secret': {
        const { clientId, secret } = credentials;
        const account = isUUID(clientId)
          ? await this.accounts.find(clientId.toLowerCase(), network, deadline)
          : undefined;
        return account && isOneOf(account.secretHashes, secret) ? account : undefined;
      }
    }
  }

  /** @param client authenticated, but disabled */
  private async refuse(
    client: AccountCredentials | undefined,
    network: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AuthenticationOutcome> {
    const subject = { attempt: 'client-authentication', clientId: client?.id } as const;
    return recordThrottling<AuthenticationOutcome>(this.audit, subject, origin, async () => {
      const refusal = await this.limiter.count(FAILURES_PER_ADDRESS, network, deadline);
      if (refusal) {
        return refusal;
      }
      this.audit.record({
        type: 'client-refused',
        result: 'refused',
        reason: client ? 'disabled' : 'wrong-credentials',
        clientId: client?.id,
        ...origin.facts,
      });
      return { outcome: 'refused' };
    });
  }
}
