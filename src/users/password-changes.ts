import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import {
  NewPasswords,
  SensitiveChanges,
  recordThrottling,
  strangerOf,
  type AcceptedPassword,
  type ChangingUser,
  type ReauthenticationRequired,
  type Refusal,
} from '../credentials/index.js';
import { retryOnConflict } from '../user-slot/write/index.js';
import { outcomeOf } from './change-outcome.js';
import { AccountNotices } from './account-mails/account-notices.js';
import { usernameDigest } from './names/username.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import type { User, UserRecord } from './user.js';

export type PasswordOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | { readonly outcome: 'refused'; readonly failure: RuleFailure }
  | ReauthenticationRequired
  | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
}

export interface PasswordOwner extends ChangingUser {
  /** The session that stays live. All others end. */
  readonly sessionId: string;
  /** The policy refuses a password that is derived from these names. */
  readonly user: ChangingUser['user'] &
    Pick<User, 'username' | 'email'> &
    Partial<Pick<User, 'displayName'>>;
}

/** Changes of the caller's own password. Resets by mail: `PasswordResets`. */
@Injectable()
export class PasswordChanges {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly sensitiveChanges: SensitiveChanges,
    private readonly passwords: NewPasswords,
    private readonly notices: AccountNotices,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Sets a new password and ends all sessions except one. A retry of an unconfirmed change succeeds, although the new password
   * is already the current one. The same change in two concurrent requests succeeds twice.
   */
  async change(
    owner: PasswordOwner,
    { current, next }: PasswordChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    const { userId, sessionId, user } = owner;
    const { username: name, email, displayName } = user;
    const context = { username: name, email: email ?? '', displayName: displayName ?? '' };
    const accepted = await this.passwords.acceptOf(userId, next, context, deadline);
    if (!accepted.isAccepted) {
      return { outcome: 'refused', failure: accepted.failure };
    }
    let hash: Secret | undefined;
    return retryOnConflict(async () => {
      const attempt = 'password-change';
      const check = await this.sensitiveChanges.checkPassword(
        owner,
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
        const version = passwordVersion + 1;
        [hash] = await Promise.all([
          hash ?? this.hashNew(check.user, accepted, origin, deadline),
          this.notices.passwordChanges(check.user, version, origin, deadline),
        ]);
      }
      const change = {
        // A repeated change is written again, so that it is confirmed and announced to all instances.
        password: check.isRepeated
          ? { hash: passwordHash, version: passwordVersion }
          : { hash: hash!, version: passwordVersion + 1 },
        ifPasswordVersion: passwordVersion,
        // The first call has already ended the other sessions. If its session was another one, this call must not end that
        // session.
        endsSessions: !check.isRepeated,
        exceptSessionId: sessionId,
      };
      // The first call may not have been confirmed, so the retry is recorded as well, with `isRepeated`.
      const details = check.isRepeated ? { details: { isRepeated: true } } : {};
      const result = await this.audit.recordChange(
        [{ type: 'password-changed', userId, sessionId, ...origin.facts, ...details }],
        async () => this.accounts.update(userId, change, deadline),
        ({ outcome }) => outcome === 'changed',
      );
      return outcomeOf(result);
    });
  }

  private async hashNew(
    { id: userId, username }: UserRecord,
    password: AcceptedPassword,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Secret> {
    const turn = { ...strangerOf(origin), account: usernameDigest(username), isKnown: true };
    const subject = { attempt: 'password-change', userId } as const;
    const { hash } = await recordThrottling(this.audit, subject, origin, async () => ({
      outcome: 'hashed',
      hash: await password.hash(deadline, turn),
    }));
    return hash;
  }
}
