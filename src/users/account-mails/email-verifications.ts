import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../../audit/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import { networkOf } from '../../common/network/index.js';
import type { Origin } from '../../common/origin/index.js';
import { languageOf } from '../../common/problem/index.js';
import type { Secret } from '../../common/secret/index.js';
import { recordThrottling } from '../../credentials/index.js';
import { MailOutbox } from '../../mail/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../../rate-limit/index.js';
import { SessionReader } from '../../user-slot/read/index.js';
import { CONFLICT, retryOnConflict } from '../../user-slot/write/index.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import type { User, UserRecord } from '../user.js';
import { AccountNotices } from './account-notices.js';
import { OneTimeTokens, type FoundOneTimeToken, type TokenBindings } from './one-time-tokens.js';
import { REFUSED_TOKENS_PER_ADDRESS } from './token-limit-per-address.js';

/** Mails that one user may cause. They may go to the addresses of others. */
const MAILS_PER_ACCOUNT: FailureLimit = {
  name: 'verification-account',
  failures: 5,
  siteFailures: 5,
  windowMs: 3_600_000,
};

export type VerificationRequestOutcome =
  | { readonly outcome: 'requested' | 'nothing-to-verify' | 'mail-not-configured' | 'unknown-user' }
  | TooManyAttempts;

export type ChangeRequestOutcome =
  | { readonly outcome: 'requested'; readonly user: UserRecord }
  | { readonly outcome: 'unknown-user' }
  | TooManyAttempts;

export type VerificationOutcome =
  { readonly outcome: 'verified' | 'invalid-token' } | TooManyAttempts;

/** Confirmation of e-mail addresses by mail: of the current address, or of one that replaces it. */
@Injectable()
export class EmailVerifications {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly outbox: MailOutbox,
    private readonly tokens: OneTimeTokens,
    private readonly sessions: SessionReader,
    private readonly notices: AccountNotices,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /** Whether a new address of a user has to be confirmed first. Nothing replaces a confirmed address before that. */
  mustConfirmFirst({ email, verifiedEmail }: User): boolean {
    return this.outbox.isConfigured && email !== null && verifiedEmail === email;
  }

  /**
   * Requests a mail for the current address of a user.
   *
   * @throws RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async request(
    userId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<VerificationRequestOutcome> {
    if (!this.outbox.isConfigured) {
      return { outcome: 'mail-not-configured' };
    }
    const user = await this.accounts.find(userId, deadline);
    if (!user) {
      return { outcome: 'unknown-user' };
    }
    const { email } = user;
    if (email === null || user.verifiedEmail === email) {
      return { outcome: 'nothing-to-verify' };
    }
    return this.limited<VerificationRequestOutcome>(userId, origin, deadline, async () => {
      await this.add({ userId, address: email, currentEmail: email }, origin, deadline);
      return { outcome: 'requested' };
    });
  }

  /**
   * Requests a mail to a new address, and tells the current one. The address changes when it is confirmed.
   *
   * @param sessionId must be live when the address is confirmed, and stays live then
   * @throws RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async requestChange(
    userId: string,
    address: string,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ChangeRequestOutcome> {
    const user = await this.accounts.find(userId, deadline);
    if (!user) {
      return { outcome: 'unknown-user' };
    }
    const { email: currentEmail, passwordVersion } = user;
    const change = { userId, address, currentEmail, sessionId, passwordVersion };
    return this.limited<ChangeRequestOutcome>(userId, origin, deadline, async () => {
      const requestId = randomUUID();
      await this.audit.recordChange(
        [{ type: 'email-change-requested', userId, ...origin.facts }],
        async () =>
          Promise.all([
            this.notices.emailChangeRequested(user, address, requestId, origin, deadline),
            this.add(change, origin, deadline),
          ]),
        () => true,
      );
      return { outcome: 'requested', user };
    });
  }

  /**
   * Confirms an address with a token from a mail. If it is a new one, all sessions end except the one that has requested it (OWASP ASVS
   * 7.4.3). Of many calls with one token, one succeeds.
   *
   * @throws RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async confirm(token: Secret, origin: Origin, deadline: Deadline): Promise<VerificationOutcome> {
    const attempt = { attempt: 'email-verification' } as const;
    return recordThrottling<VerificationOutcome>(this.audit, attempt, origin, async () =>
      this.limiter.attempt<VerificationOutcome>(
        REFUSED_TOKENS_PER_ADDRESS,
        networkOf(origin.facts.ip ?? ''),
        deadline,
        async () => {
          const found = await this.tokens.find(token, ['email-verification'], deadline);
          const isVerified = found !== undefined && (await this.use(found, origin, deadline));
          if (isVerified) {
            return { value: { outcome: 'verified' }, result: 'void' };
          }
          this.refuse(found?.userId, origin);
          return { value: { outcome: 'invalid-token' }, result: 'failed' };
        },
      ),
    );
  }

  private async use(
    found: FoundOneTimeToken<'email-verification'>,
    origin: Origin,
    deadline: Deadline,
  ): Promise<boolean> {
    const { userId, binding } = found;
    const { address, currentEmail, sessionId } = binding;
    const isChange = address !== currentEmail;
    const noticeId = randomUUID();
    const isDone = await retryOnConflict(async () => {
      const user = await this.accounts.find(userId, deadline);
      if (!user || !mayVerify(user, binding)) {
        return false;
      }
      if (isChange && !(await this.isLive(userId, sessionId, deadline))) {
        return false;
      }
      if (isChange) {
        await this.notices.emailChanges(user, address, noticeId, origin, deadline);
      }
      const { facts } = origin.as(userId);
      const events = [
        { type: 'email-verified' as const, userId, ...facts },
        ...(isChange
          ? [
              {
                type: 'profile-changed' as const,
                userId,
                ...facts,
                details: { members: ['email'] },
              },
            ]
          : []),
      ];
      const change = {
        verifiedEmail: address,
        ...(isChange ? { email: address, endsSessions: true, exceptSessionId: sessionId } : {}),
        ifRevision: user.revision,
      };
      const { outcome } = await this.audit.recordChange(
        events,
        async () => this.accounts.update(userId, change, deadline),
        (result) => result.outcome === 'changed',
      );
      return outcome === 'outdated' ? CONFLICT : outcome === 'changed';
    });
    if (isDone) {
      await this.tokens.discard(found, deadline);
    } else {
      // The call that has changed the address may have failed before it ended the sessions on every instance.
      await this.accounts.reload(userId, deadline);
    }
    return isDone;
  }

  /** A user who ends the sessions of an attacker also ends the changes that the attacker has requested. */
  private async isLive(
    userId: string,
    sessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    if (sessionId === undefined) {
      return false;
    }
    const { state } = await this.sessions.check(userId, sessionId, deadline);
    return state === 'live';
  }

  private refuse(userId: string | undefined, origin: Origin): void {
    this.audit.record({
      type: 'one-time-token-refused',
      result: 'refused',
      userId,
      ...origin.facts,
      details: { attempt: 'email-verification' },
    });
  }

  private async limited<Result extends { readonly outcome: string }>(
    userId: string,
    origin: Origin,
    deadline: Deadline,
    make: () => Promise<Result>,
  ): Promise<Result | TooManyAttempts> {
    const attempt = { attempt: 'email-verification', userId } as const;
    return recordThrottling<Result | TooManyAttempts>(this.audit, attempt, origin, async () => {
      const refusal = await this.limiter.count(MAILS_PER_ACCOUNT, sha256(userId), deadline);
      return refusal ?? make();
    });
  }

  private async add(
    data: Readonly<Record<string, unknown>>,
    origin: Origin,
    deadline: Deadline,
  ): Promise<void> {
    const language = languageOf(origin.acceptLanguage);
    const entry = { id: randomUUID(), kind: 'email-verification', data: { ...data, language } };
    await this.outbox.add(entry, deadline);
  }
}

/** Whether the address of the user can still be confirmed or changed by a token with this binding. */
export function mayVerify(
  { email, verifiedEmail, passwordVersion }: UserRecord,
  { address, currentEmail, passwordVersion: ofRequest }: TokenBindings['email-verification'],
): boolean {
  const isSamePassword = ofRequest === undefined || ofRequest === passwordVersion;
  return email === currentEmail && verifiedEmail !== address && isSamePassword;
}
