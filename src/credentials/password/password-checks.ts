import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import type { Origin } from '../../common/origin/index.js';
import { Secret } from '../../common/secret/index.js';
import {
  RateLimiter,
  type Attempted,
  type FailureLimit,
  type GuessResult,
  type TooManyAttempts,
} from '../../rate-limit/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import { INTERNAL_CALLER, ownerOf, type Caller } from '../caller.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../credential-accounts.js';
import { GUESSES_PER_ACCOUNT } from '../login-limit-per-account.js';
import { recordThrottling, type AttemptSubject } from '../throttled-attempts.js';
import { HashingQueue, type Turn } from './hashing-queue.js';

/** Timeout of optional work. */
const BEST_EFFORT_TIMEOUT_MS = 300;
/** For this time after a password change, a repetition of the same request counts as a retry. */
const REPEATABLE_MS = 10 * 60 * 1000;

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  /** The user of that name, if there is one. Only for the audit log. */
  | { readonly outcome: 'wrong'; readonly userId: string | undefined }
  | TooManyAttempts;

/** Why the check of the caller's own password failed. */
export type Refusal = { readonly outcome: 'wrong-password' | 'unknown-user' } | TooManyAttempts;

export type OwnCheck =
  | {
      readonly outcome: 'right';
      readonly user: UserRecord;
      /** True if `repeated` matched: an earlier request already made the change that the caller now retries. */
      readonly isRepeated: boolean;
    }
  | Refusal;

/** The login that a password is checked for. */
export interface LoginToCheck {
  readonly username: string;
  readonly password: Secret;
  readonly caller: Caller;
  /** The user that this request has already looked up. Default: a look-up. */
  readonly found?: { readonly user: UserRecord | undefined } | undefined;
  /** A limit for the network of the caller. Default: none. */
  readonly networkLimit?: FailureLimit | undefined;
}

/** Reads the user that an earlier look-up has located. */
type FindLocated = () => Promise<UserRecord | undefined>;

/** The result of a check whose success has a next step. */
export type CheckAndNext<Next> =
  | { readonly outcome: 'right'; readonly user: UserRecord; readonly next: Next }
  | Exclude<CredentialCheck, { readonly outcome: 'right' }>;

/** The result of a check that was made. */
type Decided<Next> = Exclude<CheckAndNext<Next>, TooManyAttempts>;

/**
 * Checks passwords. The limit per account (`GUESSES_PER_ACCOUNT`) applies to every check: a failed check increases the counter,
 * and a successful check resets it. Every check waits in the hashing queue. A login goes through `PasswordLogins`, which also
 * applies the limit per address.
 */
@Injectable()
export class PasswordChecks {
  private readonly logger = new Logger(PasswordChecks.name);

  constructor(
    @Inject(CREDENTIAL_ACCOUNTS) private readonly accounts: CredentialAccounts,
    private readonly hasher: HashingQueue,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Checks a user name and a password. An unknown name gets the same response as a wrong password, after the same time.
   *
   * @param caller default: the application itself, which counts as a stranger
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async check(
    username: string,
    deadline: Deadline,
    password: Secret,
    caller: Caller = INTERNAL_CALLER,
  ): Promise<CredentialCheck> {
    const login = { username, password, caller };
    const check = await this.checkLogin(login, deadline, () => Promise.resolve());
    return check.outcome === 'right' ? { outcome: 'right', user: check.user } : check;
  }

  /**
   * Checks a user name and a password like `check`, and then logs the user in. Redis receives the result of the check during
   * the login.
   *
   * @param logIn called if the password is right
   * @throws as `check` and `logIn`
   */
  async checkLogin<Login>(
    { username, password, caller, found, networkLimit }: LoginToCheck,
    deadline: Deadline,
    logIn: (user: UserRecord) => Promise<Login>,
  ): Promise<CheckAndNext<Login>> {
    const request = { deadline, caller, networkLimit };
    return this.verify(username, [password], request, {
      locate: async () =>
        found ? () => Promise.resolve(found.user) : this.accounts.locate(username, deadline),
      prepareLogin: async (user) => this.accounts.prepareLogin(user, deadline),
      next: logIn,
    });
  }

  /** Finds a user by name. It does not check the password. */
  async find(username: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findByName(username, deadline);
  }

  /**
   * Checks the password of the user who sends the request. A wrong password creates an audit event. It increases the counter
   * of the session, not the counter of strangers.
   *
   * @param attempt the action for which the request needs the password
   * @param repeated the new password, if this request changes the password. If the last password change is not older than
   * `REPEATABLE_MS`, a user whose password is already `repeated` passes the check as well: the request is then a retry
   * @throws as `check`
   */
  async checkOwn(
    userId: string,
    attempt: AttemptSubject['attempt'],
    origin: Origin,
    deadline: Deadline,
    password: Secret,
    repeated?: Secret,
  ): Promise<OwnCheck> {
    const subject = { attempt, userId } as const;
    const check = await recordThrottling<OwnCheck>(this.audit, subject, origin, async () =>
      this.verifyOwn(userId, origin, deadline, password, repeated),
    );
    if (check.outcome === 'wrong-password') {
      this.recordWrong(userId, attempt, origin);
    }
    return check;
  }

  private recordWrong(userId: string, attempt: AttemptSubject['attempt'], origin: Origin): void {
    this.audit.record({
      type: 'password-refused',
      result: 'refused',
      reason: 'wrong-password',
      userId,
      ...origin.facts,
      details: { attempt },
    });
  }

  private async verifyOwn(
    userId: string,
    origin: Origin,
    deadline: Deadline,
    password: Secret,
    repeated: Secret | undefined,
  ): Promise<OwnCheck> {
    const user = await this.accounts.find(userId, deadline);
    if (user === undefined) {
      // The call that deleted the user may have failed before every instance acknowledged the deletion.
      await this.accounts.reload(userId, deadline);
      return { outcome: 'unknown-user' };
    }
    const changedAt = user.passwordChangedAt?.getTime() ?? -Infinity;
    const hasNewPassword = this.clock.now() - changedAt < REPEATABLE_MS;
    // If the old and the new password of the request are equal, the request is a normal change and not a retry.
    const mayBeRepeated = hasNewPassword && repeated?.reveal() !== password.reveal();
    // Shortly after a change, the request is probably a retry. Check the new password first, because this saves one hash
    // verification.
    const passwords = repeated && mayBeRepeated ? [repeated, password] : [password];
    // No session starts here, so `prepareLogin` is not needed. It could even end the session that retries an unconfirmed
    // change.
    const request = { deadline, caller: ownerOf(origin, user) };
    const verified = await this.verify(user.username, passwords, request, {
      locate: () => Promise.resolve(() => Promise.resolve(user)),
      prepareLogin: (found) => Promise.resolve(found),
      next: (_, right) => Promise.resolve(right === repeated),
    });
    switch (verified.outcome) {
      case 'right':
        return { outcome: 'right', user: verified.user, isRepeated: verified.next };
      case 'wrong':
        return { outcome: 'wrong-password' };
      case 'too-many-attempts':
        return verified;
    }
  }

  /**
   * @param passwords the check succeeds if one of these passwords is correct
   * @param networkLimit a limit for the network of the caller
   * @param locate called in parallel with the reservation of the guess; returns a function that reads the user. It may return
   * the result of an earlier look-up of this request, because every later write fails if the user has changed since then
   * @param prepareLogin called for a user with the correct password; returns undefined to refuse this user
   * @param next called with the user and the right password, in parallel with the report of the result to Redis
   */
  private async verify<Next>(
    username: string,
    passwords: readonly Secret[],
    {
      deadline,
      caller: { network, proof },
      networkLimit,
    }: Pick<LoginToCheck, 'caller' | 'networkLimit'> & { readonly deadline: Deadline },
    {
      locate,
      prepareLogin,
      next,
    }: {
      readonly locate: () => Promise<FindLocated>;
      readonly prepareLogin: (user: UserRecord) => Promise<UserRecord | undefined>;
      readonly next: (user: UserRecord, right: Secret) => Promise<Next>;
    },
  ): Promise<CheckAndNext<Next>> {
    const subject = sha256(this.accounts.canonicalName(username));
    const check = async (
      isKnown: boolean,
      find: FindLocated,
    ): Promise<Attempted<Decided<Next>, GuessResult>> => {
      const turn = { network, account: subject, isKnown };
      const user = await find();
      const right = await this.firstRight(user?.passwordHash.reveal(), passwords, turn, deadline);
      // A client must not be able to distinguish a disabled user from a wrong password. So the correct password of a
      // disabled user counts as a failure, and the check takes the same time.
      const isAllowed = user && right && !user.isDisabled;
      const prepared = isAllowed ? await prepareLogin(user) : undefined;
      if (!prepared || !right || prepared.isDisabled) {
        return { value: { outcome: 'wrong', userId: user?.id }, result: 'failed' };
      }
      await this.renewOutdatedHash(prepared, right, turn, deadline);
      const value = next(prepared, right).then((done): Decided<Next> => ({
        outcome: 'right',
        user: prepared,
        next: done,
      }));
      return { value, result: 'reset' };
    };
    return this.limiter.guess(GUESSES_PER_ACCOUNT, subject, proof, deadline, check, {
      perNetwork: networkLimit && { limit: networkLimit, network },
      prepare: locate,
    });
  }

  private async firstRight(
    hash: string | undefined,
    passwords: readonly Secret[],
    turn: Turn,
    deadline: Deadline,
  ): Promise<Secret | undefined> {
    for (const password of passwords) {
      if (await this.hasher.verify(hash, password, deadline, turn)) {
        return password;
      }
    }
    return undefined;
  }

  /** Best effort: if it fails, the password check still succeeds. */
  private async renewOutdatedHash(
    user: UserRecord,
    password: Secret,
    turn: Turn,
    deadline: Deadline,
  ): Promise<void> {
    if (!this.hasher.isOutdated(user.passwordHash.reveal())) {
      return;
    }
    try {
      const renewed = new Secret(await this.hasher.hash(password, deadline, turn));
      const limited = deadline.within(BEST_EFFORT_TIMEOUT_MS);
      await this.accounts.renewHash(user.id, user.passwordHash, renewed, limited);
    } catch (error) {
      this.logger.warn(`Could not renew an outdated password hash: ${(error as Error).message}`);
    }
  }
}
