import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../../rate-limit/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import { proofGeneration, strangerOf, type Caller } from '../caller.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../credential-accounts.js';
import { DeviceCookies, type RecognizedDevice } from '../device-cookies.js';
import { recordRefusedLogin } from '../login-audit.js';
import { FAILURES_PER_ADDRESS } from '../login-limit-per-address.js';
import { recordThrottling } from '../throttled-attempts.js';
import { PasswordChecks } from './password-checks.js';

export interface LoginRequest {
  readonly username: string;
  readonly password: Secret;
  /** The `Cookie` header, if there is one. It may contain a device cookie. */
  readonly cookies?: string | undefined;
}

export type LoginAttempt<Login> =
  | { readonly outcome: 'logged-in'; readonly login: Login }
  | { readonly outcome: 'wrong-credentials' }
  | TooManyAttempts;

/**
 * Starts a session for a user whose password was verified.
 *
 * @returns undefined when the user has changed since the check
 */
type LogIn<Login> = (user: UserRecord) => Promise<Login | undefined>;

/**
 * Logins with a password. Applies the limit per address and, through `PasswordChecks`, the limit per account. It recognizes known
 * devices, and records each refused login.
 */
@Injectable()
export class PasswordLogins {
  constructor(
    private readonly passwordChecks: PasswordChecks,
    @Inject(CREDENTIAL_ACCOUNTS) private readonly accounts: CredentialAccounts,
    private readonly devices: DeviceCookies,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Checks the password, and logs the user in if it is right.
   *
   * @param logIn when it returns undefined, the attempt counts as failed
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async attempt<Login>(
    request: LoginRequest,
    origin: Origin,
    deadline: Deadline,
    logIn: LogIn<Login>,
  ): Promise<LoginAttempt<Login>> {
    const { username, password, cookies } = request;
    const namePseudonym = this.audit.pseudonymOf(this.accounts.canonicalName(username));
    const device = this.devices.recognize(cookies, username);
    const subject = { attempt: 'login', namePseudonym } as const;
    return recordThrottling<LoginAttempt<Login>>(this.audit, subject, origin, async () => {
      const found = device && { user: await this.passwordChecks.find(username, deadline) };
      const login = { username, password, found, ...limitsOf(origin, device, found?.user) };
      const check = await this.passwordChecks.checkLogin(login, deadline, logIn);
      if (check.outcome === 'too-many-attempts') {
        return check;
      }
      if (check.outcome === 'right' && check.next !== undefined) {
        return { outcome: 'logged-in', login: check.next };
      }
      const userId = check.outcome === 'right' ? check.user.id : check.userId;
      recordRefusedLogin(this.audit, { userId, namePseudonym }, origin);
      if (check.outcome === 'right' && login.networkLimit) {
        // The attempt was not counted as failed when the password was checked.
        await this.limiter.count(login.networkLimit, login.caller.network, deadline);
      }
      return { outcome: 'wrong-credentials' };
    });
  }
}

/**
 * The limit per address does not apply to a known device, so failures of other clients at the same address do not block it. Its
 * own failures have a separate counter within the limit of the account.
 *
 * @param device the device that the request claims to be
 * @param user the user that the request names
 */
function limitsOf(
  origin: Origin,
  device: RecognizedDevice | undefined,
  user: UserRecord | undefined,
): { readonly caller: Caller; readonly networkLimit?: FailureLimit } {
  const caller = strangerOf(origin);
  return device && isCurrent(device, user)
    ? { caller: { ...caller, proof: { kind: 'device', ...device } } }
    : { caller, networkLimit: FAILURES_PER_ADDRESS };
}

/** Whether the cookie is still valid: the account and its password have not changed since the cookie was issued. */
function isCurrent({ generation }: RecognizedDevice, user: UserRecord | undefined): boolean {
  return user !== undefined && generation === proofGeneration(user);
}
