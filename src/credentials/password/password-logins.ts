import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { RateLimiter, type TooManyAttempts } from '../../rate-limit/index.js';
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

interface AttemptContext {
  readonly caller: Caller;
  /** Returns the user that this request has already looked up. Default: a look-up. */
  readonly find?: (() => Promise<UserRecord | undefined>) | undefined;
  /** Replaces the name in audit events. */
  readonly namePseudonym: string;
}

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
    const stranger = strangerOf(origin);
    const { username, cookies } = request;
    const namePseudonym = this.audit.pseudonymOf(this.accounts.canonicalName(username));
    const device = this.devices.recognize(cookies, username);
    const check = async (context: Omit<AttemptContext, 'namePseudonym'>) =>
      this.check(request, { ...context, namePseudonym }, origin, deadline, logIn);
    const subject = { attempt: 'login', namePseudonym } as const;
    return recordThrottling<LoginAttempt<Login>>(this.audit, subject, origin, async () => {
      const found = device && { user: await this.passwordChecks.find(username, deadline) };
      const find = found && (() => Promise.resolve(found.user));
      if (device && isCurrent(device, found?.user)) {
        // The limit per address does not apply to a known device, so failures of other clients at the same address do not
        // block it. Its own failures have a separate counter within the limit of the account.
        return check({ caller: { ...stranger, proof: { kind: 'device', ...device } }, find });
      }
      const { network } = stranger;
      return this.limiter.attempt(FAILURES_PER_ADDRESS, network, deadline, async () => {
        const value = await check({ caller: stranger, find });
        // A successful login does not reset the counter. Otherwise an attacker could reset it by logging in to an account of
        // their own between guesses.
        return { value, result: value.outcome === 'wrong-credentials' ? 'failed' : 'void' };
      });
    });
  }

  private async check<Login>(
    { username, password }: LoginRequest,
    { caller, find, namePseudonym }: AttemptContext,
    origin: Origin,
    deadline: Deadline,
    logIn: LogIn<Login>,
  ): Promise<LoginAttempt<Login>> {
    const check = await this.passwordChecks.check(username, deadline, password, caller, find);
    if (check.outcome === 'too-many-attempts') {
      return check;
    }
    const login = check.outcome === 'right' ? await logIn(check.user) : undefined;
    if (login === undefined) {
      const userId = check.outcome === 'right' ? check.user.id : check.userId;
      recordRefusedLogin(this.audit, { userId, namePseudonym }, origin);
      return { outcome: 'wrong-credentials' };
    }
    return { outcome: 'logged-in', login };
  }
}

/** Whether the cookie is still valid: the account and its password have not changed since the cookie was issued. */
function isCurrent({ generation }: RecognizedDevice, user: UserRecord | undefined): boolean {
  return user !== undefined && generation === proofGeneration(user);
}
