import { Inject, Injectable, Logger } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import { Secret } from '../../common/secret/index.js';
import {
  RateLimiter,
  type Attempted,
  type GuessLimit,
  type GuessResult,
  type TooManyAttempts,
} from '../../rate-limit/index.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import type { UserRecord } from '../user.js';
import { findByUsername } from '../find-by-username.js';
import { usernameDigest } from '../names/username.js';
import { INTERNAL_CALLER, ownerOf, type Caller } from './caller.js';
import { HashingQueue, type Turn } from './hashing-queue.js';
import { recordThrottling, type AttemptSubject } from './throttled-attempts.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Wrong passwords for an account, wherever they are tried (OWASP ASVS 6.3.1, NIST SP 800-63B-4 section 3.2.2). Every block
 * ends, so nobody is locked out for good. The table is in docs/operations/passwords-and-limits.md.
 */
const GUESSES_PER_ACCOUNT: GuessLimit = {
  name: 'password-account',
  failures: 10,
  blockMs: 15 * MINUTE_MS,
  maxBlockMs: DAY_MS,
  ceiling: 100,
  ceilingBlockMs: 7 * DAY_MS,
  memoryMs: 3 * DAY_MS,
};

/** For what can be left undone without harm. */
const LONGEST_AFTERTHOUGHT_MS = 300;
/** For so long a repeated password change may find that it has been made already. */
const REPEATABLE_MS = 10 * 60 * 1000;

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  /** Of a user of that name, if there is one: for the audit log alone. */
  | { readonly outcome: 'wrong'; readonly userId: string | undefined }
  | TooManyAttempts;

/** What a check of the own password can say besides yes. */
export type Refusal = { readonly outcome: 'wrong-password' | 'unknown-user' } | TooManyAttempts;

export type OwnCheck =
  | {
      readonly outcome: 'right';
      readonly user: UserRecord;
      /** The other password was right: the change that the caller repeats has been made. */
      readonly isRepeated: boolean;
    }
  | Refusal;

interface Verified {
  readonly check: Exclude<CredentialCheck, TooManyAttempts>;
  /** Which password was right. */
  readonly right?: Secret | undefined;
}

/** Whether a password is the right one. Wrong ones are counted, and few at a time are checked. */
@Injectable()
export class Credentials {
  private readonly logger = new Logger(Credentials.name);

  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly hasher: HashingQueue,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Whether a name and a password are right: the same answer and the same time for an unknown name and a wrong password.
   *
   * @param caller default: the application itself, which is a stranger to the account
   * @param find what has found the user of this name within this request, if anything has; see `find`
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async check(
    username: string,
    deadline: Deadline,
    password: Secret,
    caller: Caller = INTERNAL_CALLER,
    find = async () => this.find(username, deadline),
  ): Promise<CredentialCheck> {
    const admit = async (user: UserRecord) => this.accounts.admit(user, deadline);
    const request = { deadline, caller };
    const verified = await this.verify(username, [password], request, { find, admit });
    return 'outcome' in verified ? verified : verified.check;
  }

  /** The user of a name, to look at before the password is checked. */
  async find(username: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return findByUsername(this.accounts, username, deadline);
  }

  /**
   * Whether a password is the user's. Wrong ones are recorded, and counted for the session of the request, apart from the
   * logins of strangers.
   *
   * @param attempt what the password was asked for
   * @param repeated another one that is as good, if the password was changed a moment ago
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
      // Deleted a moment ago, perhaps by a call that could not tell everybody.
      await this.accounts.reload(userId, deadline);
      return { outcome: 'unknown-user' };
    }
    const changedAt = user.passwordChangedAt?.getTime() ?? -Infinity;
    const hasNewPassword = this.clock.now() - changedAt < REPEATABLE_MS;
    // A repeated change is the likely one: it costs one hash then.
    const passwords = repeated && hasNewPassword ? [repeated, password] : [password];
    // No session begins, and the one that asks must not end by what a call that is repeated has left undone.
    const request = { deadline, caller: ownerOf(origin, user) };
    const verified = await this.verify(user.username, passwords, request, {
      find: () => Promise.resolve(user),
      admit: (found) => Promise.resolve(found),
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
   * @param find the user as it is now, or was within this request: what is written later names what was found
   * @param admit what else has to be true of a user whose password is right
   */
  private async verify(
    username: string,
    passwords: readonly Secret[],
    { deadline, caller }: { readonly deadline: Deadline; readonly caller: Caller },
    {
      find,
      admit,
    }: {
      readonly find: () => Promise<UserRecord | undefined>;
      readonly admit: (user: UserRecord) => Promise<UserRecord | undefined>;
    },
  ): Promise<Verified | TooManyAttempts> {
    const subject = usernameDigest(username);
    const { network, proof } = caller;
    const check = async (isKnown: boolean): Promise<Attempted<Verified, GuessResult>> => {
      const turn = { network, account: subject, isKnown };
      const user = await find();
      const right = await this.firstRight(user?.passwordHash.reveal(), passwords, turn, deadline);
      // A disabled user's right password must not be told from a wrong one: it counts as a failure, and takes as long.
      const isAllowed = user && right && !user.isDisabled;
      const admitted = isAllowed ? await admit(user) : undefined;
      if (!admitted || !right || admitted.isDisabled) {
        return { value: { check: { outcome: 'wrong', userId: user?.id } }, result: 'failed' };
      }
      await this.renewOutdatedHash(admitted, right, turn, deadline);
      return { value: { check: { outcome: 'right', user: admitted }, right }, result: 'reset' };
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

  /** For the next time: whether it works or not, this password was right. */
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
      const soon = deadline.within(LONGEST_AFTERTHOUGHT_MS);
      await this.accounts.renewHash(user.id, user.passwordHash, renewed, soon);
    } catch (error) {
      this.logger.warn(`A password hash could not be renewed: ${(error as Error).message}`);
    }
  }
}
