import { Inject, Injectable, Logger } from '@nestjs/common';

import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../../rate-limit/index.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import type { UserRecord } from '../user.js';
import { canonicalUsername, usernameDigest } from '../username.js';
import { HashingQueue } from './hashing-queue.js';

/**
 * Wrong passwords for an account (OWASP ASVS 6.3.1), wherever they are tried. The account is free again when the window
 * has passed, so nobody is locked out for good.
 */
const FAILURES_PER_ACCOUNT: FailureLimit = {
  name: 'password-account',
  failures: 10,
  windowMs: 15 * 60 * 1000,
};

/** For what can be left undone without harm. */
const LONGEST_AFTERTHOUGHT_MS = 300;
/** For so long a repeated password change may find that it has been made already. */
const REPEATABLE_MS = 10 * 60 * 1000;

export type CredentialCheck =
  | { readonly outcome: 'right'; readonly user: UserRecord }
  | { readonly outcome: 'wrong' }
  | TooManyAttempts;

/** What a check of the own password can say besides yes. */
export type Refusal = { readonly outcome: 'wrong-password' | 'unknown-user' } | TooManyAttempts;

/** Whether a password is the right one. Wrong ones are counted, and few at a time are checked. */
@Injectable()
export class Credentials {
  private readonly logger = new Logger(Credentials.name);

  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly hasher: HashingQueue,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
  ) {}

  /**
   * Whether a name and a password are right: the same answer and the same time for an unknown name and a wrong password.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async check(username: string, deadline: Deadline, password: Secret): Promise<CredentialCheck> {
    return this.verify(username, [password], deadline, async (user) =>
      this.accounts.admit(user, deadline),
    );
  }

  /**
   * Whether a password is the user's, counted with the logins.
   *
   * @param repeated another one that is as good, if the password was changed a moment ago
   * @throws as `check`
   */
  async checkOwn(
    userId: string,
    deadline: Deadline,
    password: Secret,
    repeated?: Secret,
  ): Promise<{ readonly outcome: 'right'; readonly user: UserRecord } | Refusal> {
    const user = await this.accounts.find(userId, deadline);
    if (user === undefined) {
      // Deleted a moment ago, perhaps by a call that could not tell everybody.
      await this.accounts.reload(userId, deadline);
      return { outcome: 'unknown-user' };
    }
    const changedAt = user.passwordChangedAt?.getTime() ?? -Infinity;
    const hasNewPassword = this.clock.now() - changedAt < REPEATABLE_MS;
    const passwords = repeated && hasNewPassword ? [password, repeated] : [password];
    // No session begins, and the one that asks must not end by what a call that is repeated has left undone.
    const check = await this.verify(user.username, passwords, deadline, (found) =>
      Promise.resolve(found),
    );
    switch (check.outcome) {
      case 'too-many-attempts':
        return check;
      case 'wrong':
        return { outcome: 'wrong-password' };
      case 'right':
        return check.user.id === userId ? check : { outcome: 'wrong-password' };
    }
  }

  /**
   * @param passwords one of them has to be right
   * @param admit what else has to be true of a user whose password is right
   */
  private async verify(
    username: string,
    passwords: readonly Secret[],
    deadline: Deadline,
    admit: (user: UserRecord) => Promise<UserRecord | undefined>,
  ): Promise<CredentialCheck> {
    const subject = usernameDigest(username);
    return this.limiter.attempt<CredentialCheck>(
      FAILURES_PER_ACCOUNT,
      subject,
      deadline,
      async () => {
        const user = await this.accounts.findByUsername(canonicalUsername(username), deadline);
        const right = await this.firstRight(user?.passwordHash.reveal(), passwords, deadline);
        // A disabled user's right password must not be told from a wrong one: it counts as a failure, and takes as long.
        const isAllowed = user && right && !user.isDisabled;
        const admitted = isAllowed ? await admit(user) : undefined;
        if (!admitted || !right || admitted.isDisabled) {
          return { value: { outcome: 'wrong' }, result: 'failed' };
        }
        await this.renewOutdatedHash(admitted, right, deadline);
        return { value: { outcome: 'right', user: admitted }, result: 'reset' };
      },
    );
  }

  private async firstRight(
    hash: string | undefined,
    passwords: readonly Secret[],
    deadline: Deadline,
  ): Promise<Secret | undefined> {
    for (const password of passwords) {
      if (await this.hasher.verify(hash, password, deadline)) {
        return password;
      }
    }
    return undefined;
  }

  /** For the next time: whether it works or not, this password was right. */
  private async renewOutdatedHash(
    user: UserRecord,
    password: Secret,
    deadline: Deadline,
  ): Promise<void> {
    if (!this.hasher.isOutdated(user.passwordHash.reveal())) {
      return;
    }
    try {
      const renewed = new Secret(await this.hasher.hash(password, deadline));
      const soon = deadline.within(LONGEST_AFTERTHOUGHT_MS);
      await this.accounts.renewHash(user.id, user.passwordHash, renewed, soon);
    } catch (error) {
      this.logger.warn(`A password hash could not be renewed: ${(error as Error).message}`);
    }
  }
}
