import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../../audit/index.js';
import { Clock } from '../../../common/clock/index.js';
import type { Deadline } from '../../../common/deadline/index.js';
import { networkOf } from '../../../common/network/index.js';
import type { Origin } from '../../../common/origin/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../../../rate-limit/index.js';
import type { AuthenticationMethod, UserRecord } from '../../../user-slot/read/index.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../../credential-accounts.js';
import { LoginChallenges } from '../login-challenges.js';
import { SecondFactors, type PresentedProof } from '../second-factors.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PASSKEY, PasskeyFactor } from './passkey.factor.js';

/** Passkeys cannot be guessed. The limit only stops clients that send many forged responses. */
const FORGERIES_PER_ADDRESS: FailureLimit = {
  name: 'passkey-address',
  failures: 100,
  siteFailures: 1000,
  windowMs: 15 * 60 * 1000,
};
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
    private readonly limiter: RateLimiter,
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
    const { userId } = claimedBy(response);
    const proof = this.proofOf(response);
    const found =
      proof && userId !== undefined ? await this.accounts.find(userId, deadline) : undefined;
    const user = found && (await this.accounts.prepareLogin(found, deadline));
    if (!proof || !user || user.isDisabled) {
      return this.refuse(user?.id, origin, deadline);
    }
    const result = await this.factors.prove(user.id, proof, undefined, undefined, deadline);
    if (result.outcome === 'too-many-attempts') {
      return result;
    }
    if (result.outcome !== 'right') {
      return this.refuse(user.id, origin, deadline);
    }
    const { methods, factorsVersion } = result;
    return { outcome: 'right', user, methods, factorsVersion };
  }

  private async refuse(
    userId: string | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<{ readonly outcome: 'wrong' } | TooManyAttempts> {
    this.audit.record({
      type: 'login-refused',
      result: 'refused',
      reason: 'wrong-credentials',
      userId,
      ...origin.facts,
      details: { factor: PASSKEY },
    });
    const network = networkOf(origin.facts.ip ?? '');
    const refusal = await this.limiter.count(FORGERIES_PER_ADDRESS, network, deadline);
    return refusal ?? { outcome: 'wrong' };
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
