import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { UserPrincipal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { CONFLICT, retryOnConflict } from '../user-slot/write/index.js';
import { ACCOUNTS, type Accounts, type ChangeOutcome } from './store/accounts.js';
import { strangerOf } from './passwords/caller.js';
import { Credentials, type Refusal } from './passwords/credentials.js';
import { changeEvents, recordRefusedAdministration } from './change-events.js';
import { HashingQueue } from './passwords/hashing-queue.js';
import { PasswordRules } from './passwords/password-rules.js';
import { recordThrottling } from './passwords/throttled-attempts.js';
import type { ProfileChange, Registration, User, UserRecord } from './user.js';
import { Registrations, type RegistrationOutcome } from './registrations.js';
import { usernameDigest } from './names/username.js';

/** A login is proof of who it is for so long (OWASP ASVS 7.5.1). */
const RECENT_LOGIN_MS = 10 * 60 * 1000;

export type ProfileOutcome =
  | { readonly outcome: 'changed'; readonly user: User }
  | { readonly outcome: 'reauthentication-required' }
  | Refusal;
export type DeletionOutcome =
  { readonly outcome: 'deleted' } | { readonly outcome: 'last-administrator' } | Refusal;
export type PasswordOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | { readonly outcome: 'refused'; readonly failure: RuleFailure }
  | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
  /** The session that goes on. */
  readonly sessionId: string;
  /** Whose password it is, to refuse one that is made of it. */
  readonly user: Pick<User, 'username' | 'email'> & Partial<Pick<User, 'displayName'>>;
}

/**
 * Accounts: change and deletion. Whatever narrows what a user may do holds on every instance when it returns.
 *
 * All methods throw RedisUnavailableError, UserStoreUnavailableError and UserStoreError; those that write,
 * NotConfirmedError; those that hash or check a password, HashingOverloadedError.
 */
@Injectable()
export class UsersService {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly credentials: Credentials,
    private readonly hasher: HashingQueue,
    private readonly reader: UserReader,
    private readonly registrations: Registrations,
    private readonly passwordRules: PasswordRules,
    private readonly audit: AuditLog,
  ) {}

  /** Registers a user; see `Registrations`. */
  async register(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    return this.registrations.register(registration, origin, deadline);
  }

  /** A user for an administrator; the read is recorded. */
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

  /** A user, for work that shows it to nobody else. */
  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  /** The user as it is now, after sessions have been told of what is new. For the moments when tokens are made. */
  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  /**
   * Makes hold on every instance what a store of the application's own says of a user, after somebody else has changed it
   * there: new roles, the disabled state, a new password, a deletion.
   *
   * @returns the user, or undefined when there is none
   */
  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }

  /**
   * The ids of all users who can have sessions, also of those whose registration is not complete, or who were deleted a
   * moment ago. For operators' work, not for requests: it looks at every key there is.
   *
   * @throws RedisUnavailableError, MissingRightError
   */
  async allIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    return this.reader.ids(deadline);
  }

  /**
   * Changes the own profile. A new e-mail address ends all other sessions (OWASP ASVS 7.4.3), and needs the current password
   * or a login a short while ago (7.5.1).
   *
   * @param currentPassword looked at for a new e-mail address only; a wrong one is counted as at a login
   */
  async changeProfile(
    { userId, sessionId, user }: UserPrincipal,
    change: ProfileChange,
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ProfileOutcome> {
    const { email, displayName } = change;
    // New is what sessions have not heard of: the store may have it from a call that was not confirmed.
    const isNewAddress = email !== undefined && email !== user.email;
    if (email === undefined && displayName === undefined) {
      const found = await this.accounts.find(userId, deadline);
      return found ? { outcome: 'changed', user: found } : { outcome: 'unknown-user' };
    }
    return retryOnConflict(async () => {
      const proof = isNewAddress
        ? await this.prove({ userId, sessionId }, currentPassword, origin, deadline)
        : undefined;
      if (proof && proof.outcome !== 'proven') {
        return proof;
      }
      const effect = proof && {
        ifPasswordVersion: proof.ifPasswordVersion,
        endsSessions: true,
        exceptSessionId: sessionId,
      };
      const result = await this.audit.recordChange(
        changeEvents(userId, { email, displayName }, origin),
        async () => this.accounts.update(userId, { email, displayName, ...effect }, deadline),
        ({ outcome }) => outcome === 'changed',
      );
      return outcomeOf(result);
    });
  }

  /**
   * Gives the user a new password and ends all sessions but one. Repeating a change that was not confirmed is no mistake,
   * though the current password is the new one by then; nor is the same change at the same time.
   */
  async changePassword(
    userId: string,
    { current, next, sessionId, user }: PasswordChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    const { username: name, email, displayName } = user;
    const context = { username: name, email: email ?? '', displayName: displayName ?? '' };
    const failure = this.passwordRules.check(next, context);
    if (failure) {
      return { outcome: 'refused', failure };
    }
    let hash: Secret | undefined;
    let isOvertaken = false;
    return retryOnConflict(async () => {
      const attempt = 'password-change';
      const check = await this.credentials.checkOwn(
        userId,
        attempt,
        origin,
        deadline,
        current,
        next,
      );
      if (check.outcome !== 'right') {
        return check;
      }
      const { passwordVersion, passwordHash } = check.user;
      if (!check.isRepeated) {
        hash ??= await this.hashNew(check.user, next, origin, deadline);
      }
      const change = {
        // What is repeated is written once more, so that it is confirmed, and everybody knows of it.
        password: check.isRepeated
          ? { hash: passwordHash, version: passwordVersion }
          : { hash: hash!, version: passwordVersion + 1 },
        ifPasswordVersion: passwordVersion,
        endsSessions: true,
        exceptSessionId: sessionId,
      };
      // The same change at the same time has an event already.
      const isRecorded = isOvertaken && check.isRepeated;
      const result = await this.audit.recordChange(
        isRecorded ? [] : [{ type: 'password-changed', userId, sessionId, ...origin.facts }],
        async () => this.accounts.update(userId, change, deadline),
        ({ outcome }) => outcome === 'changed',
      );
      const outcome = outcomeOf(result);
      isOvertaken = outcome === CONFLICT;
      return outcome;
    });
  }

  /**
   * Ends all sessions of a user, everywhere, without an event: the caller records what it is part of.
   *
   * @param exceptSessionId one that goes on
   * @returns whether there is such a user
   */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const result = await this.accounts.endSessions(userId, { exceptSessionId }, deadline);
    return result.outcome === 'ended';
  }

  /** Deletes the own user for good: the name is free again, and no session of the user is accepted any more. */
  async deleteOwn(
    userId: string,
    password: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<DeletionOutcome> {
    return retryOnConflict(async () => {
      const attempt = 'deletion';
      const check = await this.credentials.checkOwn(userId, attempt, origin, deadline, password);
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

  /**
   * Whether the caller has shown a moment ago who it is.
   *
   * @returns the age of the session is that of its login; a refresh does not make it younger
   */
  async isLoginRecent(
    { userId, sessionId }: Pick<UserPrincipal, 'userId' | 'sessionId'>,
    deadline: Deadline,
  ): Promise<boolean> {
    const ageMs = await this.reader.sessionAgeMs(userId, sessionId, deadline);
    return ageMs !== undefined && ageMs <= RECENT_LOGIN_MS;
  }

  private async hashNew(
    { id: userId, username }: UserRecord,
    password: Secret,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Secret> {
    const turn = { ...strangerOf(origin), account: usernameDigest(username), isKnown: true };
    const subject = { attempt: 'password-change', userId } as const;
    const { hash } = await recordThrottling(this.audit, subject, origin, async () => ({
      outcome: 'hashed',
      hash: new Secret(await this.hasher.hash(password, deadline, turn)),
    }));
    return hash;
  }

  private async prove(
    session: Pick<UserPrincipal, 'userId' | 'sessionId'>,
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<
    | { readonly outcome: 'proven'; readonly ifPasswordVersion?: number }
    | { readonly outcome: 'reauthentication-required' }
    | Refusal
  > {
    const { userId } = session;
    if (currentPassword === undefined) {
      const isRecent = await this.isLoginRecent(session, deadline);
      return { outcome: isRecent ? 'proven' : 'reauthentication-required' };
    }
    const check = await this.credentials.checkOwn(
      userId,
      'profile-change',
      origin,
      deadline,
      currentPassword,
    );
    return check.outcome === 'right'
      ? { outcome: 'proven', ifPasswordVersion: check.user.passwordVersion }
      : check;
  }
}

/** Another change of the password was faster: whether the password that was sent is right has to be checked again. */
function outcomeOf(
  result: ChangeOutcome,
):
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | { readonly outcome: 'unknown-user' }
  | typeof CONFLICT {
  switch (result.outcome) {
    case 'changed':
      return { outcome: 'changed', user: result.user };
    case 'outdated':
      return CONFLICT;
    case 'last-administrator':
    case 'protected':
    case 'unknown':
      return { outcome: 'unknown-user' };
  }
}
