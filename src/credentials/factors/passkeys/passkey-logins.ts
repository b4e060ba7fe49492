import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../../audit/index.js';
import { Clock } from '../../../common/clock/index.js';
import type { Deadline } from '../../../common/deadline/index.js';
import type { Origin } from '../../../common/origin/index.js';
import type { TooManyAttempts } from '../../../rate-limit/index.js';
import type { AuthenticationMethod, UserRecord } from '../../../user-slot/read/index.js';
import { strangerOf } from '../../caller.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../../credential-accounts.js';
import { recordThrottling } from '../../throttled-attempts.js';
import { LoginChallenges } from '../login-challenges.js';
import { SecondFactors, type PresentedProof } from '../second-factors.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PASSKEY, PasskeyFactor } from './passkey.factor.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export type PasskeyLogin =
  | {
      readonly outcome: 'right';
      readonly user: UserRecord;
      readonly methods: readonly AuthenticationMethod[];
      readonly factorsVersion: string;
    }
  | { readonly outcome: 'wrong' }
  | TooManyAttempts;

/** The parts of a response that say whom and what it is about. Nothing is trusted before the signature is verified. */
interface Claimed {
  readonly userId: string | undefined;
  readonly challenge: string | undefined;
}

/** Logins with a passkey alone, in which the authenticator names the user. All methods throw RedisUnavailableError. */
@Injectable()
export class PasskeyLogins {
  constructor(
    @Inject(CREDENTIAL_ACCOUNTS) private readonly accounts: CredentialAccounts,
    private readonly factors: SecondFactors,
    private readonly passkeys: PasskeyFactor,
    private readonly challenges: PasskeyChallenges,
    private readonly loginChallenges: LoginChallenges,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The argument of `navigator.credentials.get`.
   *
   * @param loginChallenge of a login that waits for its second step. The options then name the passkeys of its user. Undefined for
   * a login with a passkey alone, and for a reauthentication
   * @returns undefined when the pending login has ended
   */
  async options(
    loginChallenge: string | undefined,
    deadline: Deadline,
  ): Promise<object | undefined> {
    if (loginChallenge === undefined) {
      return this.passkeys.request(this.challenges.issue(this.clock.now()), []);
    }
    const login = this.loginChallenges.recognize(loginChallenge);
    const states = login && (await this.factors.statesFor(login, PASSKEY, deadline));
    return states && this.passkeys.request(login.digest, states);
  }

  /** The proof in a response to options without a pending login. Undefined when its challenge is not one of them, or has ended. */
  proofOf(response: object): PresentedProof | undefined {
    const { challenge } = claimedBy(response);
    return challenge !== undefined && this.challenges.isCurrent(challenge, this.clock.now())
      ? { type: PASSKEY, proof: response, signedChallenge: challenge }
      : undefined;
  }

  /** @throws NotConfirmedError, UserStoreUnavailableError */
  async attempt(response: object, origin: Origin, deadline: Deadline): Promise<PasskeyLogin> {
    const { network } = strangerOf(origin);
    return recordThrottling<PasskeyLogin>(this.audit, { attempt: 'login' }, origin, async () =>
      this.factors.countRefusals(network, deadline, async () =>
        this.check(response, origin, deadline),
      ),
    );
  }

  private async check(
    response: object,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Exclude<PasskeyLogin, TooManyAttempts>> {
    const { userId } = claimedBy(response);
    const proof = this.proofOf(response);
    const found =
      proof && userId !== undefined ? await this.accounts.find(userId, deadline) : undefined;
    const user = found && (await this.accounts.prepareLogin(found, deadline));
    if (!proof || !user || user.isDisabled) {
      return this.refuse(user?.id, origin);
    }
    const result = await this.factors.check(user.id, proof, undefined, deadline);
    if (result.outcome !== 'right') {
      return this.refuse(user.id, origin);
    }
    const { methods, factorsVersion } = result;
    return { outcome: 'right', user, methods, factorsVersion };
  }

  private refuse(userId: string | undefined, origin: Origin): { readonly outcome: 'wrong' } {
    this.audit.record({
      type: 'login-refused',
      result: 'refused',
      reason: 'wrong-credentials',
      userId,
      ...origin.facts,
      details: { factor: PASSKEY },
    });
    return { outcome: 'wrong' };
  }
}

function claimedBy(credential: object): Claimed {
  const { response } = credential as {
    readonly response?: { readonly userHandle?: unknown; readonly clientDataJSON?: unknown };
  };
  const userId = textIn(response?.userHandle);
  try {
    const data = JSON.parse(textIn(response?.clientDataJSON) ?? '') as { challenge?: unknown };
    const challenge = typeof data.challenge === 'string' ? data.challenge : undefined;
    return { userId: userId !== undefined && UUID.test(userId) ? userId : undefined, challenge };
  } catch {
    return { userId: undefined, challenge: undefined };
  }
}

function textIn(base64url: unknown): string | undefined {
  return typeof base64url === 'string'
    ? Buffer.from(base64url, 'base64url').toString('utf8')
    : undefined;
}
