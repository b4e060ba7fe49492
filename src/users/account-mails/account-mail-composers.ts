import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import type { Language } from '../../common/problem/index.js';
import {
  MailDelivery,
  MailLinks,
  MailOutbox,
  type ComposedMail,
  type MailKind,
  type OutboxEntry,
} from '../../mail/index.js';
import { RateLimiter, type FailureLimit } from '../../rate-limit/index.js';
import { FactorWriter } from '../../user-slot/write/index.js';
import { RedisUserDirectory } from '../directory/redis-user-directory.js';
import { USER_DIRECTORY, type UserDirectory } from '../directory/user-directory.js';
import { findByUsername } from '../find-by-username.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import { USER_STORE, type UserStore } from '../store/user-store.js';
import type { User, UserRecord } from '../user.js';
import { mayVerify } from './email-verifications.js';
import { LIFETIME_MS, OneTimeTokens, type TokenBindings } from './one-time-tokens.js';
import { addressForPassword, isInvited } from './password-resets.js';

/** An address may belong to several users. */
const MAX_USERS_PER_ADDRESS = 10;

/**
 * Limits the mails that strangers cause for one user. The window is as long as the link is valid. So a user whose mails somebody else
 * has used up has a valid link, and cannot be locked out.
 */
const RESET_MAILS_PER_ACCOUNT: FailureLimit = {
  name: 'reset-account',
  failures: 3,
  siteFailures: 3,
  windowMs: LIFETIME_MS['password-reset'],
};

type Data = OutboxEntry['data'];

/** The data of each kind of entry. */
interface ResetRequest {
  readonly requestId: string;
  readonly username?: string;
  readonly email?: string;
  readonly language: Language;
}
interface Reset {
  readonly userId: string;
  readonly language: Language;
}
interface PasswordReset extends Reset {
  readonly isByAdministrator?: boolean;
}
type Verification = Reset & TokenBindings['email-verification'];
interface Notice extends Reset {
  readonly to: string;
  readonly at: number;
  readonly newEmail?: string | null;
  readonly passwordVersion?: number;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly factorId?: string;
  readonly factor?: string;
}

/** Whether the change that a notice tells about was made. */
type IsDue = (user: UserRecord, data: Notice, deadline: Deadline) => boolean | Promise<boolean>;

/** Composes the mails to users, at the moment at which they are sent. Tokens are made here, so that the outbox contains none. */
@Injectable()
export class AccountMailComposers implements OnModuleInit {
  private readonly directory: UserDirectory | undefined;

  constructor(
    private readonly delivery: MailDelivery,
    private readonly outbox: MailOutbox,
    private readonly links: MailLinks,
    private readonly tokens: OneTimeTokens,
    private readonly limiter: RateLimiter,
    private readonly factors: FactorWriter,
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    redisDirectory: RedisUserDirectory,
    @Optional() @Inject(USER_STORE) store?: UserStore,
    @Optional() @Inject(USER_DIRECTORY) directory?: UserDirectory,
  ) {
    this.directory = directory ?? (store ? undefined : redisDirectory);
  }

  onModuleInit(): void {
    const composers = {
      'password-reset-request': async (data: Data, deadline: Deadline) =>
        this.findUsersToReset(data as unknown as ResetRequest, deadline),
      'password-reset': async (data: Data, deadline: Deadline) =>
        this.passwordReset(data as unknown as PasswordReset, deadline),
      'email-verification': async (data: Data, deadline: Deadline) =>
        this.verification(data as unknown as Verification, deadline),
    };
    for (const [kind, composer] of Object.entries(composers)) {
      this.delivery.composeWith(kind, composer);
    }
    const notice = (kind: MailKind, isDue: IsDue): void =>
      this.delivery.composeWith(kind, async (data, deadline) =>
        this.notice(kind, data as unknown as Notice, isDue, deadline),
      );
    notice('password-changed', (user, data) => user.passwordVersion >= data.passwordVersion!);
    notice('email-changed', (user, data) => user.email !== data.to);
    notice('email-change-requested', () => true);
    notice('new-device', () => true);
    notice('recovery-code-used', () => true);
    const hasFactor: IsDue = async ({ id }, { factorId }, deadline) => {
      const { factors } = await this.factors.find(id, deadline);
      return factors.some((one) => one.isConfirmed && (factorId ?? one.id) === one.id);
    };
    notice('factor-added', hasFactor);
    notice('recovery-codes-created', hasFactor);
    notice('factor-removed', async (...args) => !(await hasFactor(...args)));
  }

  /** Adds an entry for each user, so that each mail is retried alone. */
  private async findUsersToReset(
    { requestId, username, email, language }: ResetRequest,
    deadline: Deadline,
  ): Promise<undefined> {
    for (const { id: userId } of await this.usersWith(username, email, deadline)) {
      const limit = await this.limiter.count(RESET_MAILS_PER_ACCOUNT, sha256(userId), deadline);
      if (!limit) {
        const id = `${requestId}.${userId}`;
        await this.outbox.add({ id, kind: 'password-reset', data: { userId, language } }, deadline);
      }
    }
  }

  private async usersWith(
    username: string | undefined,
    email: string | undefined,
    deadline: Deadline,
  ): Promise<readonly User[]> {
    if (username !== undefined) {
      const user = await findByUsername(this.accounts, username, deadline);
      return user ? [user] : [];
    }
    const { directory } = this;
    return (
      (await directory?.findByVerifiedEmail?.(email ?? '', MAX_USERS_PER_ADDRESS, deadline)) ?? []
    );
  }

  private async passwordReset(
    { userId, language, isByAdministrator }: PasswordReset,
    deadline: Deadline,
  ): Promise<ComposedMail | undefined> {
    const user = await this.accounts.find(userId, deadline);
    const address = user && addressForPassword(user);
    if (!user || user.isDisabled || address === undefined) {
      return undefined;
    }
    const kind = isInvited(user) ? 'invitation' : 'password-reset';
    const binding = { address, passwordVersion: user.passwordVersion };
    const { token, validMinutes } = await this.tokens.issue(userId, kind, binding, deadline);
    const link = this.links.to('reset-password', token);
    const values = { ...namesOf(user), link, validMinutes, isByAdministrator };
    return { to: address, kind, language, values };
  }

  private async verification(
    { userId, language, ...binding }: Verification,
    deadline: Deadline,
  ): Promise<ComposedMail | undefined> {
    const user = await this.accounts.find(userId, deadline);
    if (!user || !mayVerify(user, binding)) {
      return undefined;
    }
    const kind = 'email-verification';
    const { token, validMinutes } = await this.tokens.issue(userId, kind, binding, deadline);
    const link = this.links.to('verify-email', token);
    return {
      to: binding.address,
      kind,
      language,
      values: { ...namesOf(user), link, validMinutes },
    };
  }

  private async notice(
    kind: MailKind,
    data: Notice,
    isDue: IsDue,
    deadline: Deadline,
  ): Promise<ComposedMail | undefined> {
    const user = await this.accounts.find(data.userId, deadline);
    if (!user || !(await isDue(user, data, deadline))) {
      return undefined;
    }
    const { to, language, at, newEmail, ip, userAgent, factor } = data;
    const values = { newEmail: newEmail ?? undefined, at: new Date(at), ip, userAgent, factor };
    return { to, kind, language, values: { ...namesOf(user), ...values } };
  }
}

function namesOf({ username, displayName }: User): {
  readonly username: string;
  readonly displayName: string | undefined;
} {
  return { username, displayName: displayName ?? undefined };
}
