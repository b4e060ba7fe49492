import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../../audit/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { networkOf } from '../../common/network/index.js';
import type { Origin } from '../../common/origin/index.js';
import { languageOf } from '../../common/problem/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { RuleFailure } from '../../common/validation/index.js';
import { NewPasswords, recordThrottling, strangerOf } from '../../credentials/index.js';
import { MailOutbox } from '../../mail/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../../rate-limit/index.js';
import { canonicalUsername, usernameDigest } from '../names/username.js';
import { ACCOUNTS, type Accounts } from '../store/accounts.js';
import type { UserRecord } from '../user.js';
import { AccountNotices } from './account-notices.js';
import { limitAdministeredMails } from './administered-mails.js';
import { OneTimeTokens, type FoundOneTimeToken } from './one-time-tokens.js';
import { REFUSED_TOKENS_PER_ADDRESS } from './token-limit-per-address.js';

/** Every request counts when it begins. Many people may share an address. */
const REQUESTS_PER_ADDRESS: FailureLimit = {
  name: 'reset-address',
  failures: 50,
  siteFailures: 500,
  windowMs: 15 * 60_000,
};

/** Whose password is to be reset. */
export type ResetSubject = { readonly username: string } | { readonly email: string };

export type ResetRequestOutcome =
  { readonly outcome: 'requested' | 'mail-not-configured' } | TooManyAttempts;

export type AdministeredResetOutcome =
  | {
      readonly outcome: 'requested' | 'mail-not-configured' | 'no-verified-email' | 'user-disabled';
    }
  | TooManyAttempts;

export type ResetOutcome =
  | { readonly outcome: 'reset'; readonly user: UserRecord }
  | { readonly outcome: 'refused'; readonly failure: RuleFailure }
  | { readonly outcome: 'invalid-token' }
  | TooManyAttempts;

/**
 * Password resets by mail (OWASP Forgot Password Cheat Sheet). A request only stores what the client has sent. Whether there is such a
 * user is found out when the mail is sent, so the response and its time are the same for known and unknown users.
 */
@Injectable()
export class PasswordResets {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly outbox: MailOutbox,
    private readonly tokens: OneTimeTokens,
    private readonly passwords: NewPasswords,
    private readonly notices: AccountNotices,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /** @throws RedisUnavailableError, NotConfirmedError */
  async request(
    subject: ResetSubject,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ResetRequestOutcome> {
    if (!this.outbox.isConfigured) {
      return { outcome: 'mail-not-configured' };
    }
    const name =
      'username' in subject ? canonicalUsername(subject.username) : subject.email.toLowerCase();
    const namePseudonym = this.audit.pseudonymOf(name);
    const attempt = { attempt: 'password-reset', namePseudonym } as const;
    return recordThrottling<ResetRequestOutcome>(this.audit, attempt, origin, async () => {
      const { network } = strangerOf(origin);
      const refusal = await this.limiter.count(REQUESTS_PER_ADDRESS, network, deadline);
      if (refusal) {
        return refusal;
      }
      const requestId = randomUUID();
      const data = { ...subject, requestId, language: languageOf(origin.acceptLanguage) };
      await this.audit.recordChange(
        [{ type: 'password-reset-requested', namePseudonym, ...origin.facts }],
        async () =>
          this.outbox.add({ id: requestId, kind: 'password-reset-request', data }, deadline),
        () => true,
      );
      return { outcome: 'requested' };
    });
  }

  /**
   * Sends a mail to another user. A user without a password gets an invitation.
   *
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async sendTo(
    user: UserRecord,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AdministeredResetOutcome> {
    if (!this.outbox.isConfigured) {
      return { outcome: 'mail-not-configured' };
    }
    const { id: userId, isDisabled } = user;
    if (isDisabled) {
      return { outcome: 'user-disabled' };
    }
    const address = addressForPassword(user);
    if (address === undefined) {
      return { outcome: 'no-verified-email' };
    }
    const attempt = { attempt: 'password-reset', userId } as const;
    return recordThrottling<AdministeredResetOutcome>(this.audit, attempt, origin, async () => {
      const refusal = await limitAdministeredMails(this.limiter, address, deadline);
      if (refusal) {
        return refusal;
      }
      const language = languageOf(origin.acceptLanguage);
      const data = { userId, language, isByAdministrator: true };
      const entry = { id: randomUUID(), kind: 'password-reset', data };
      await this.audit.recordChange(
        [{ type: 'password-reset-requested', userId, ...origin.facts }],
        async () => this.outbox.add(entry, deadline),
        () => true,
      );
      return { outcome: 'requested' };
    });
  }

  /**
   * Sets a new password with a token from a mail, and ends all sessions on every instance. Of many calls with one token, one succeeds:
   * the token is bound to the version of the password.
   *
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async confirm(
    token: Secret,
    next: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ResetOutcome> {
    const attempt = { attempt: 'password-reset' } as const;
    return recordThrottling<ResetOutcome>(this.audit, attempt, origin, async () =>
      this.limiter.attempt<ResetOutcome>(
        REFUSED_TOKENS_PER_ADDRESS,
        networkOf(origin.facts.ip ?? ''),
        deadline,
        async () => {
          const value = await this.use(token, next, origin, deadline);
          return { value, result: value.outcome === 'invalid-token' ? 'failed' : 'void' };
        },
      ),
    );
  }

  private async use(
    token: Secret,
    next: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ResetOutcome> {
    const found = await this.tokens.find(token, ['password-reset', 'invitation'], deadline);
    const user = found && (await this.accounts.find(found.userId, deadline));
    if (!found || !user || !fits(found, user)) {
      return this.refuse(found?.userId, origin);
    }
    const { id: userId, username, email, displayName, passwordVersion } = user;
    const context = { username, email: email ?? '', displayName: displayName ?? '' };
    const accepted = await this.passwords.acceptOf(userId, next, context, deadline);
    if (!accepted.isAccepted) {
      return { outcome: 'refused', failure: accepted.failure };
    }
    const version = passwordVersion + 1;
    const turn = { ...strangerOf(origin), account: usernameDigest(username), isKnown: true };
    const [hash] = await Promise.all([
      accepted.hash(deadline, turn),
      this.notices.passwordChanges(user, version, origin, deadline),
    ]);
    const change = {
      password: { hash, version },
      ifPasswordVersion: passwordVersion,
      endsSessions: true,
      // The mail has reached the user.
      ...(found.kind === 'invitation' ? { verifiedEmail: found.binding.address } : {}),
    };
    const result = await this.audit.recordChange(
      [{ type: 'password-reset', userId, ...origin.as(userId).facts }],
      async () => this.accounts.update(userId, change, deadline),
      ({ outcome }) => outcome === 'changed',
    );
    if (result.outcome === 'changed') {
      await this.tokens.discard(found, deadline);
      return { outcome: 'reset', user: result.user };
    }
    // The call that has set the password may have failed before it ended the sessions on every instance.
    await this.accounts.reload(userId, deadline);
    return this.refuse(userId, origin);
  }

  private refuse(userId: string | undefined, origin: Origin): ResetOutcome {
    this.audit.record({
      type: 'one-time-token-refused',
      result: 'refused',
      userId,
      ...origin.facts,
      details: { attempt: 'password-reset' },
    });
    return { outcome: 'invalid-token' };
  }
}

/** Whether an administrator has created the user, who has not set a password yet. */
export function isInvited({ passwordHash }: Pick<UserRecord, 'passwordHash'>): boolean {
  return passwordHash.reveal() === '';
}

/** The address to which a link for a new password may be sent. An administrator has chosen that of an invited user. */
export function addressForPassword(user: UserRecord): string | undefined {
  return (isInvited(user) ? user.email : user.verifiedEmail) ?? undefined;
}

function fits(
  { kind, binding }: FoundOneTimeToken<'password-reset' | 'invitation'>,
  user: UserRecord,
): boolean {
  return (
    !user.isDisabled &&
    user.passwordVersion === binding.passwordVersion &&
    isInvited(user) === (kind === 'invitation') &&
    addressForPassword(user) === binding.address
  );
}
