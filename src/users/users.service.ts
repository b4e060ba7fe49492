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
  type ChangingUser,
  type ReauthenticationRequired,
  type Refusal,
} from '../credentials/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { CONFLICT, retryOnConflict } from '../user-slot/write/index.js';
import { AccountNotices } from './account-mails/account-notices.js';
import { EmailVerifications } from './account-mails/email-verifications.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { changeEvents, recordRefusedAdministration } from './change-events.js';
import { outcomeOf } from './change-outcome.js';
import {
  PasswordChanges,
  type PasswordChange,
  type PasswordOutcome,
  type PasswordOwner,
} from './password-changes.js';
import { checkProfile, hasFailure, type ProfileFailures } from './profile-rules.js';
import type { ProfileChange, Registration, User, UserRecord } from './user.js';
import { Registrations, type RegistrationOutcome } from './registrations.js';

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
export type DeletionOutcome =
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'last-administrator' }
  | ReauthenticationRequired
  | Refusal;

/**
 * Changes and deletion of accounts. A change that reduces access takes effect on every instance before its method returns.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write,
 * NotConfirmedError; those that hash or check a password, HashingOverloadedError.
 */
@Injectable()
export class UsersService {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly passwordChanges: PasswordChanges,
    private readonly sensitiveChanges: SensitiveChanges,
    private readonly reader: UserReader,
    private readonly registrations: Registrations,
    private readonly verifications: EmailVerifications,
    private readonly notices: AccountNotices,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /** Registers a user, also when self-registration is closed. */
  async register(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    return this.registrations.register(registration, origin, deadline);
  }

  /** Reads a user for an administrator, and records an event. */
  async read(userId: string, origin: Origin, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await this.accounts.find(userId, deadline);
    this.audit.record({
      type: 'user-read',
      result: user ? 'success' : 'failure',
      reason: user ? undefined : 'not-found',
      userId,
      ...origin.facts,
    });
    return user;
  }

  /** Reads a user for internal use. It records no event. */
  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  /** Reads the current user to issue tokens: see `Accounts.findCurrent`. */
  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  /**
   * Applies the current state of a user in the application's `UserStore` on every instance. Call it after other software has
   * changed the user there: roles, the disabled state, the password, or a deletion.
   *
   * @returns the user, or undefined when there is none
   */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }

  /**
   * The ids of all users who can have sessions. Includes incomplete registrations and recently deleted users. It scans all
   * keys: use it for commands of operators, not in requests.
   *
   * @throws RedisUnavailableError, MissingRightError
   */
  async allIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.reader.ids(deadline);
  }

  /**
   * Changes the caller's own profile. A new e-mail address ends all other sessions (OWASP ASVS 7.4.3), and requires the current
   * password or a recent login, see `SensitiveChanges`. If mails can be sent, it replaces a confirmed address only when it is confirmed. A user may
   * request 50 new addresses in an hour.
   *
   * @param currentPassword checked only for a new e-mail address. A wrong one counts like a wrong password at a login
   */
  async changeProfile(
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
    const tooMany = isNewAddress && (await this.limitAddressChanges(principal, origin, deadline));
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

  /** Sets a new password and ends all sessions except one: see `PasswordChanges`. */
  async changePassword(
    owner: PasswordOwner,
    change: PasswordChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    return this.passwordChanges.change(owner, change, origin, deadline);
  }

  /**
   * Ends all sessions of a user on every instance. It records no event, because the calling operation does: see
   * `SessionsService.endAll`.
   *
   * @param exceptSessionId a session that stays live
   * @returns whether the user exists
   */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const result = await this.accounts.endSessions(userId, { exceptSessionId }, deadline);
    return result.outcome === 'ended';
  }

  /** Deletes the caller's own user permanently. The name becomes free, and all sessions of the user end. */
  async deleteOwn(
    owner: ChangingUser,
    password: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<DeletionOutcome> {
    const { userId } = owner;
    return retryOnConflict(async () => {
      const check = await this.sensitiveChanges.checkPassword(
        owner,
        'deletion',
        origin,
        deadline,
        password,
      );
      if (check.outcome !== 'right') {
        return check;
      }
      const { passwordVersion: ifPasswordVersion } = check.user;
      const { outcome } = await this.audit.recordChange(
        [{ type: 'user-deleted', userId, ...origin.facts }],
        async () => this.accounts.remove(userId, { ifPasswordVersion }, deadline),
        (result) => result.outcome === 'removed',
      );
      switch (outcome) {
        case 'removed':
          return { outcome: 'deleted' };
        case 'last-administrator':
          recordRefusedAdministration(this.audit, userId, { reason: outcome }, origin);
          return { outcome };
        case 'unknown':
        case 'protected':
          return { outcome: 'unknown-user' };
        case 'outdated':
          return CONFLICT;
      }
    });
  }

  /** @returns undefined when one more change is allowed */
  private async limitAddressChanges(
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
