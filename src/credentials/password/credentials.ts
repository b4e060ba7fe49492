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
  type GuessResult,
  type TooManyAttempts,
} from '../../rate-limit/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import { INTERNAL_CALLER, ownerOf, type Caller } from '../caller.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from '../credential-accounts.js';
import { GUESSES_PER_ACCOUNT } from '../login-limits.js';
import { recordThrottling, type AttemptSubject } from '../throttled-attempts.js';
import { HashingQueue, type Turn } from './hashing-queue.js';

/** For work that may be left undone without harm. */
const BEST_EFFORT_TIMEOUT_MS = 300;
/** How long a repeated password change is recognized as done already. */
const REPEATABLE_MS = 10 * 60 * 1000;

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  /** The user of that name, if there is one. Only for the audit log. */
  | { readonly outcome: 'wrong'; readonly userId: string | undefined }
  | TooManyAttempts;

/** Why the check of the own password failed. */
export type Refusal = { readonly outcome: 'wrong-password' | 'unknown-user' } | TooManyAttempts;

export type OwnCheck =
  | {
      readonly outcome: 'right';
      readonly user: UserRecord;
      /** The password that `repeated` named was right: the change that the caller repeats was made before. */
      readonly isRepeated: boolean;
    }
  | Refusal;

interface Verified {
  readonly check: Exclude<CredentialCheck, TooManyAttempts>;
  /** The password that was right. */
  readonly right?: Secret | undefined;
}

/**
 * Checks passwords. Every check counts for the limit of the account (`GUESSES_PER_ACCOUNT`), and waits in the hashing queue. A
 * login goes through `PasswordLogins`, which also applies the limit of the address.
 */
@Injectable()
export class Credentials {
  private readonly logger = new Logger(Credentials.name);

  constructor(
    @Inject(CREDENTIAL_ACCOUNTS) private readonly accounts: CredentialAccounts,
    private readonly hasher: HashingQueue,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Checks a user name and a password. An unknown name gets the same answer as a wrong password, after the same time.
   *
   * @param caller default: the application itself, which counts as a stranger
   * @param find returns the user that this request has already looked up. Default: a look-up
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async check(
    username: string,
    deadline: Deadline,
    password: Secret,
    caller: Caller = INTERNAL_CALLER,
    find = async () => this.find(username, deadline),
  ): Promise<CredentialCheck> {
    const prepareLogin = async (user: UserRecord) => this.accounts.prepareLogin(user, deadline);
    const request = { deadline, caller };
    const verified = await this.verify(username, [password], request, { find, prepareLogin });
    return 'outcome' in verified ? verified : verified.check;
  }

  /** The user of a name, before the password is checked. */
  async find(username: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findByName(username, deadline);
  }

  /**
   * Checks the password of the own user. A wrong one is recorded, and counts for the session of the request, not for the logins
   * of strangers.
   *
   * @param attempt what the request needs the password for
   * @param repeated the new password of a change; also right if the password was changed within `REPEATABLE_MS`
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
      // The call that deleted the user may have failed before every instance had acknowledged.
      await this.accounts.reload(userId, deadline);
      return { outcome: 'unknown-user' };
    }
    const changedAt = user.passwordChangedAt?.getTime() ?? -Infinity;
    const hasNewPassword = this.clock.now() - changedAt < REPEATABLE_MS;
    // A change to the password that is already current is a change, not a repetition.
    const mayBeRepeated = hasNewPassword && repeated?.reveal() !== password.reveal();
    // After a change, a repetition is more likely. Checking the new password first saves a hash.
    const passwords = repeated && mayBeRepeated ? [repeated, password] : [password];
    // No session starts here, so `prepareLogin` is not needed. It could end the session that repeats an unconfirmed change.
    const request = { deadline, caller: ownerOf(origin, user) };
    const verified = await this.verify(user.username, passwords, request, {
      find: () => Promise.resolve(user),
      prepareLogin: (found) => Promise.resolve(found),
    });
    if ('outcome' in verified) {
      return verified;
    }
    const { check, right } = verified;
    return check.outcome === 'right'
      ? { ...check, isRepeated: right === repeated }
      : { outcome: 'wrong-password' };
  }

  /**
   * @param passwords one of them has to be right
   * @param find the user now, or at a look-up earlier in this request; later writes are conditional on what it returns
   * @param prepareLogin decides whether a user with the right password may go on
   */
  private async verify(
    username: string,
    passwords: readonly Secret[],
    { deadline, caller }: { readonly deadline: Deadline; readonly caller: Caller },
    {
      find,
      prepareLogin,
    }: {
      readonly find: () => Promise<UserRecord | undefined>;
      readonly prepareLogin: (user: UserRecord) => Promise<UserRecord | undefined>;
    },
  ): Promise<Verified | TooManyAttempts> {
    const subject = sha256(this.accounts.canonicalName(username));
    const { network, proof } = caller;
    const check = async (isKnown: boolean): Promise<Attempted<Verified, GuessResult>> => {
      const turn = { network, account: subject, isKnown };
      const user = await find();
      const right = await this.firstRight(user?.passwordHash.reveal(), passwords, turn, deadline);
      // The right password of a disabled user must look like a wrong one: it counts as a failure and takes as long.
      const isAllowed = user && right && !user.isDisabled;
      const prepared = isAllowed ? await prepareLogin(user) : undefined;
      if (!prepared || !right || prepared.isDisabled) {
        return { value: { check: { outcome: 'wrong', userId: user?.id } }, result: 'failed' };
      }
      await this.renewOutdatedHash(prepared, right, turn, deadline);
      return { value: { check: { outcome: 'right', user: prepared }, right }, result: 'reset' };
    };
    return this.limiter.guess(GUESSES_PER_ACCOUNT, subject, proof, deadline, check);
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

  /** Best effort: a failure does not make the password wrong. */
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
