import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { UserPrincipal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { Secret } from '../common/secret/index.js';
import {
  PASSKEY,
  PasskeyLogins,
  PasswordChecks,
  SecondSteps,
  type PresentedProof,
  type Refusal,
} from '../credentials/index.js';
import { SessionsService, type AuthenticationMethod } from '../sessions/index.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

export type ReauthenticationResult =
  | { readonly outcome: 'reauthenticated'; readonly tokens: IssuedTokens }
  /** The proof of the factor is wrong. */
  | { readonly outcome: 'wrong' }
  /** The session has ended, or the credentials have changed since the check. */
  | { readonly outcome: 'ended' }
  | Refusal;

interface Proved {
  readonly outcome: 'right';
  readonly methods: readonly AuthenticationMethod[];
  readonly passwordVersion?: number;
  readonly factorsVersion?: string;
}

/** Raises a live session: its user proves again who they are. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly passwordChecks: PasswordChecks,
    private readonly secondSteps: SecondSteps,
    private readonly passkeys: PasskeyLogins,
    private readonly tokens: SessionTokens,
    private readonly sessions: SessionsService,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * @param presented the password, or the proof of a factor
   * @returns tokens of the same session, whose `auth_time` is now. The former refresh token stays valid until one of the two is used
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async reauthenticate(
    { userId, sessionId, user }: UserPrincipal,
    presented: Secret | PresentedProof,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ReauthenticationResult> {
    const before = await this.sessions.authenticationOf(userId, sessionId, deadline);
    const proved = await this.prove(userId, presented, origin, deadline);
    if (proved.outcome !== 'right') {
      return proved;
    }
    const { methods: added, passwordVersion, factorsVersion } = proved;
    const methods = new Set([...(before?.methods ?? []), ...added]);
    if (methods.has('pwd') && added.some((method) => method !== 'pwd')) {
      methods.add('mfa');
    }
    const authentication = { time: this.clock.nowSeconds(), methods: [...methods] };
    const tokens = await this.tokens.issue(user, { id: sessionId, authentication }, deadline);
    const { accessToken, refreshToken } = tokens;
    const raised = {
      id: sessionId,
      userId,
      passwordVersion,
      factorsVersion,
      authentication,
      accessToken,
      refreshToken,
    };
    if (!(await this.sessions.raise(raised, deadline))) {
      return { outcome: 'ended' };
    }
    this.audit.record({
      type: 'reauthenticated',
      result: 'success',
      userId,
      sessionId,
      ...origin.facts,
      details: { methods: added },
    });
    return { outcome: 'reauthenticated', tokens };
  }

  private async prove(
    userId: string,
    presented: Secret | PresentedProof,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Proved | Exclude<ReauthenticationResult, { readonly outcome: 'reauthenticated' }>> {
    if (presented instanceof Secret) {
      const attempt = 'reauthentication';
      const check = await this.passwordChecks.checkOwn(
        userId,
        attempt,
        origin,
        deadline,
        presented,
      );
      return check.outcome === 'right'
        ? { outcome: 'right', methods: ['pwd'], passwordVersion: check.user.passwordVersion }
        : check;
    }
    // A passkey signs a challenge of its own, because there is no pending login.
    const proof =
      presented.type === PASSKEY ? this.passkeys.proofOf(presented.proof as object) : presented;
    return proof
      ? this.secondSteps.checkOwn(userId, proof, origin, deadline)
      : { outcome: 'wrong' };
  }
}
