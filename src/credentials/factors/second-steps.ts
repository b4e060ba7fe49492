import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { RateLimiter, type TooManyAttempts } from '../../rate-limit/index.js';
import type { AuthenticationMethod, UserRecord } from '../../user-slot/read/index.js';
import { FactorWriter } from '../../user-slot/write/index.js';
import { ownerOf, proofGeneration, strangerOf, type Caller } from '../caller.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../credential-accounts.js';
import { DeviceCookies } from '../device-cookies.js';
import { recordThrottling } from '../throttled-attempts.js';
import { FACTOR_NOTICES, type FactorNotices } from './factor-notices.js';
import { LoginChallenges } from './login-challenges.js';
import { RECOVERY_CODE } from './recovery-codes/recovery-codes.factor.js';
import {
  REFUSALS_PER_ADDRESS,
  refusedTogether,
  SecondFactors,
  type PresentedProof,
  type ProofCheck,
} from './second-factors.js';

export interface SecondStepRequest extends PresentedProof {
  readonly challenge: string;
  /** The `Cookie` header, if there is one. It may contain a device cookie. */
  readonly cookies?: string | undefined;
}

export type SecondStepCheck =
  | {
      readonly outcome: 'right';
      readonly user: UserRecord;
      readonly methods: readonly AuthenticationMethod[];
      readonly factorsVersion: string;
    }
  /** `ended`: the challenge is unknown, used or old, or the account has changed. */
  | { readonly outcome: 'wrong' | 'ended' }
  | TooManyAttempts;

export type OwnProofCheck =
  | {
      readonly outcome: 'right';
      readonly methods: readonly AuthenticationMethod[];
      readonly factorsVersion: string;
    }
  | { readonly outcome: 'wrong' | 'ended' }
  | TooManyAttempts;

/** The second step of a login, for a user with a second factor. All methods throw RedisUnavailableError, NotConfirmedError. */
@Injectable()
export class SecondSteps {
  constructor(
    @Inject(CREDENTIAL_ACCOUNTS) private readonly accounts: CredentialAccounts,
    private readonly factors: SecondFactors,
    private readonly challenges: LoginChallenges,
    private readonly writer: FactorWriter,
    private readonly devices: DeviceCookies,
    private readonly limiter: RateLimiter,
    @Inject(FACTOR_NOTICES) private readonly notices: FactorNotices,
    private readonly audit: AuditLog,
  ) {}

  /** @param user whose password was verified. @returns the challenge for the client */
  async begin(user: UserRecord, origin: Origin, deadline: Deadline): Promise<Secret> {
    const { challenge, login } = this.challenges.issue(user.id);
    await this.writer.beginLogin(login, user.passwordVersion, deadline);
    this.audit.record({
      type: 'second-factor-required',
      result: 'success',
      userId: user.id,
      ...origin.facts,
    });
    return challenge;
  }

  async check(
    { challenge, type, proof, cookies }: SecondStepRequest,
    origin: Origin,
    deadline: Deadline,
  ): Promise<SecondStepCheck> {
    const stranger = strangerOf(origin);
    const login = this.challenges.recognize(challenge);
    if (!login) {
      return recordThrottling(this.audit, { attempt: 'second-factor' }, origin, async () =>
        this.countEnded(stranger, deadline),
      );
    }
    const { userId } = login;
    const found = await this.accounts.find(userId, deadline);
    const user = found && (await this.accounts.prepareLogin(found, deadline));
    if (!user || user.isDisabled) {
      return { outcome: 'ended' };
    }
    const device = this.devices.recognize(cookies, user.username);
    const isKnown = device?.generation === proofGeneration(user) && !device.isByReset;
    const caller = isKnown
      ? { ...stranger, proof: { kind: 'device', ...device } as const }
      : stranger;
    const subject = { attempt: 'second-factor', userId } as const;
    const result = await recordThrottling(this.audit, subject, origin, async () => {
      const proved = await this.factors.prove(userId, { type, proof }, login, caller, deadline);
      return proved.outcome === 'ended' ? this.countEnded(caller, deadline) : proved;
    });
    await this.tell(user, type, result, origin, deadline);
    if (result.outcome !== 'right') {
      return result;
    }
    const { methods, factorsVersion, passwordVersion } = result;
    return passwordVersion === user.passwordVersion
      ? { outcome: 'right', user, methods, factorsVersion }
      : { outcome: 'ended' };
  }

  /** Checks a proof of the user who sends the request, for a reauthentication. Wrong ones count for the session. */
  async checkOwn(
    userId: string,
    presented: PresentedProof,
    origin: Origin,
    deadline: Deadline,
  ): Promise<OwnProofCheck> {
    const user = await this.accounts.find(userId, deadline);
    if (!user) {
      return { outcome: 'ended' };
    }
    const caller = ownerOf(origin, user);
    const subject = { attempt: 'reauthentication', userId } as const;
    const result = await recordThrottling(this.audit, subject, origin, async () =>
      this.factors.prove(userId, presented, undefined, caller, deadline),
    );
    await this.tell(user, presented.type, result, origin, deadline);
    return result;
  }

  private async countEnded(
    caller: Caller,
    deadline: Deadline,
  ): Promise<{ readonly outcome: 'ended' } | TooManyAttempts> {
    const subject = refusedTogether(caller);
    const refusal = await this.limiter.count(REFUSALS_PER_ADDRESS, subject, deadline);
    return refusal ?? { outcome: 'ended' };
  }

  /** Records what happened, and tells the user about a used recovery code. */
  private async tell(
    user: UserRecord,
    factor: string,
    { outcome }: ProofCheck,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const { id: userId } = user;
    if (outcome === 'wrong') {
      this.audit.record({
        type: 'second-factor-refused',
        result: 'refused',
        reason: 'wrong-proof',
        userId,
        ...origin.facts,
        // The client chooses the type of a factor that the application has added.
        details: { factor: this.factors.has(factor) ? factor : 'unknown' },
      });
    } else if (outcome === 'right' && factor === RECOVERY_CODE) {
      this.audit.record({
        type: 'recovery-code-used',
        result: 'success',
        userId,
        ...origin.facts,
      });
      await this.notices.recoveryCodeUsed(user, origin, deadline);
    }
  }
}
