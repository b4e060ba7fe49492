import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { UserPrincipal } from '../common/authentication/index.js';
import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  PASSKEY,
  PasskeyLogins,
  PasswordChecks,
  SecondSteps,
  type OwnProofCheck,
  type PresentedProof,
  type Refusal,
} from '../credentials/index.js';
import { SessionsService, type AuthenticationMethod } from '../sessions/index.js';
import type { PresentedCredentials } from './presented-proof.js';
import { SessionTokens, type IssuedTokens } from './session-tokens.js';

export type ReauthenticationResult =
  | { readonly outcome: 'reauthenticated'; readonly tokens: IssuedTokens }
  /** The password is right, and the user has factors of these types. */
  | { readonly outcome: 'second-factor-required'; readonly factors: readonly string[] }
  /** The proof of the factor is wrong. */
  | { readonly outcome: 'wrong' }
  /** The session has ended, or the credentials have changed since the check. */
  | { readonly outcome: 'ended' }
  | Refusal;

interface RightCredentials {
  readonly outcome: 'right';
  readonly methods: readonly AuthenticationMethod[];
  readonly passwordVersion?: number | undefined;
  readonly factorsVersion?: string;
}

const MULTIPLE = ['mfa'] as const;

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
   * @param presented a password alone is not enough for a user with a second factor (OWASP ASVS 7.5.1)
   * @returns tokens of the same session, whose `auth_time` is now. The former refresh token keeps its own, and stays valid until one
   * of them is used
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async reauthenticate(
    { userId, sessionId, user }: UserPrincipal,
    presented: PresentedCredentials,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ReauthenticationResult> {
    const proved = await this.prove(userId, presented, origin, deadline);
    if (proved.outcome !== 'right') {
      return proved;
    }
    const { methods, passwordVersion, factorsVersion } = proved;
    // Earlier proofs do not count: `amr` says what was proved at `auth_time`.
    const authentication = { time: this.clock.nowSeconds(), methods };
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
    const raise = await this.sessions.raise(raised, deadline);
    if (raise.outcome !== 'raised') {
      return raise.outcome === 'refused' ? { outcome: 'ended' } : raise;
    }
    this.audit.record({
      type: 'reauthenticated',
      result: 'success',
      userId,
      sessionId,
      ...origin.facts,
      details: { methods },
    });
    return { outcome: 'reauthenticated', tokens };
  }

  private async prove(
    userId: string,
    { password, proof }: PresentedCredentials,
    origin: Origin,
    deadline: Deadline,
  ): Promise<
    RightCredentials | Exclude<ReauthenticationResult, { readonly outcome: 'reauthenticated' }>
  > {
    const knowledge = password && (await this.checkPassword(userId, password, origin, deadline));
    if (knowledge && (knowledge.outcome !== 'right' || !proof)) {
      return knowledge;
    }
    const possession = await this.checkProof(userId, proof!, origin, deadline);
    if (possession.outcome !== 'right') {
      return possession;
    }
    const { methods, factorsVersion } = possession;
    const isMultiple = knowledge !== undefined || proof!.type === PASSKEY;
    return {
      outcome: 'right',
      methods: [...(knowledge?.methods ?? []), ...methods, ...(isMultiple ? MULTIPLE : [])],
      passwordVersion: knowledge?.passwordVersion,
      factorsVersion,
    };
  }

  private async checkPassword(
    userId: string,
    password: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RightCredentials | Refusal> {
    const attempt = 'reauthentication';
    const check = await this.passwordChecks.checkOwn(userId, attempt, origin, deadline, password);
    return check.outcome === 'right'
      ? { outcome: 'right', methods: ['pwd'], passwordVersion: check.user.passwordVersion }
      : check;
  }

  private async checkProof(
    userId: string,
    presented: PresentedProof,
    origin: Origin,
    deadline: Deadline,
  ): Promise<OwnProofCheck> {
    // A passkey signs a challenge of its own, because there is no pending login.
    const proof =
      presented.type === PASSKEY ? this.passkeys.proofOf(presented.proof as object) : presented;
    return proof
      ? this.secondSteps.checkOwn(userId, proof, origin, deadline)
      : { outcome: 'wrong' };
  }
}
