import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import type { UserPrincipal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import {
  SensitiveChanges,
  recordThrottling,
  type ReauthenticationRequired,
  type Refusal,
} from '../credentials/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { retryOnConflict } from '../user-slot/write/index.js';
import { AccountNotices } from './account-mails/account-notices.js';
import { EmailVerifications } from './account-mails/email-verifications.js';
import { changeEvents } from './change-events.js';
import { outcomeOf } from './change-outcome.js';
import { checkProfile, hasFailure, type ProfileFailures } from './profile-rules.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import type { ProfileChange, User } from './user.js';

/**
 * Every request for a new address counts, whatever its outcome. Each change is noted in the directory of users, where a change
 * that was not confirmed stays for two hours.
 */
export const ADDRESS_CHANGES_PER_USER: FailureLimit = {
  name: 'address-change',
  failures: 50,
  siteFailures: 50,
  windowMs: 3_600_000,
};

export type ProfileOutcome =
  | {
      readonly outcome: 'changed';
      readonly user: User;
      /** The new address, if it has to be confirmed first. */
      readonly pendingEmail?: string;
    }
  | ReauthenticationRequired
  | { readonly outcome: 'refused'; readonly failures: ProfileFailures }
  | Refusal;

/** Changes of the own profile. All methods throw as those of `UsersService`. */
@Injectable()
export class ProfileChanges {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly sensitiveChanges: SensitiveChanges,
    private readonly verifications: EmailVerifications,
    private readonly notices: AccountNotices,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /**
   * A new e-mail address ends all other sessions (OWASP ASVS 7.4.3), and requires the current password or a recent login, see
   * `SensitiveChanges`. If mails can be sent, it replaces a confirmed address only when it is confirmed. A user may request 50 new
   * addresses in an hour.
   *
   * @param currentPassword checked only for a new e-mail address. A wrong one counts like a wrong password at a login
   */
  async change(
    principal: UserPrincipal,
    change: ProfileChange,
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ProfileOutcome> {
    const { userId, sessionId, user } = principal;
    const failures = checkProfile(change);
    if (hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    const { email, displayName } = change;
    // Compared with the user of the session and not with the store, which may already contain the address from an unconfirmed
    // call.
    const isNewAddress = email !== undefined && email !== user.email;
    if (email === undefined && displayName === undefined) {
      const found = await this.accounts.find(userId, deadline);
      return found ? { outcome: 'changed', user: found } : { outcome: 'unknown-user' };
    }
    const tooMany = isNewAddress && (await this.limitNewAddresses(principal, origin, deadline));
    if (tooMany) {
      return tooMany;
    }
    const noticeId = randomUUID();
    return retryOnConflict(async () => {
      const proof = isNewAddress
        ? await this.sensitiveChanges.prove(
            principal,
            'profile-change',
            currentPassword,
            origin,
            deadline,
          )
        : undefined;
      if (proof && proof.outcome !== 'right') {
        return proof;
      }
      if (proof && typeof email === 'string' && this.verifications.mustConfirmFirst(user)) {
        return this.requestNewEmail(userId, email, displayName, sessionId, origin, deadline);
      }
      const effect = proof && {
        ifPasswordVersion: proof.ifPasswordVersion,
        endsSessions: true,
        exceptSessionId: sessionId,
      };
      if (isNewAddress) {
        await this.notices.emailChanges(user, email, noticeId, origin, deadline);
      }
      const result = await this.audit.recordChange(
        changeEvents(userId, { email, displayName }, origin),
        async () => this.accounts.update(userId, { email, displayName, ...effect }, deadline),
        ({ outcome }) => outcome === 'changed',
      );
      return outcomeOf(result);
    });
  }

  private async requestNewEmail(
    userId: string,
    pendingEmail: string,
    displayName: string | null | undefined,
    sessionId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ProfileOutcome> {
    const requested = await this.verifications.requestChange(
      userId,
      pendingEmail,
      sessionId,
      origin,
      deadline,
    );
    if (requested.outcome !== 'requested') {
      return requested;
    }
    if (displayName === undefined) {
      return { outcome: 'changed', user: requested.user, pendingEmail };
    }
    const result = await this.audit.recordChange(
      changeEvents(userId, { displayName }, origin),
      async () => this.accounts.update(userId, { displayName }, deadline),
      ({ outcome }) => outcome === 'changed',
    );
    return result.outcome === 'changed' ? { ...result, pendingEmail } : { outcome: 'unknown-user' };
  }

  /** @returns undefined when one more change is allowed */
  private async limitNewAddresses(
    { userId, sessionId }: UserPrincipal,
    origin: Origin,
    deadline: Deadline,
  ): Promise<TooManyAttempts | undefined> {
    const subject = { attempt: 'profile-change', userId, sessionId } as const;
    const result = await recordThrottling(this.audit, subject, origin, async () => {
      const refusal = await this.limiter.count(ADDRESS_CHANGES_PER_USER, userId, deadline);
      return refusal ?? ({ outcome: 'counted' } as const);
    });
    return result.outcome === 'too-many-attempts' ? result : undefined;
  }
}
