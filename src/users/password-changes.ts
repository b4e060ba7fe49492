import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import {
  Credentials,
  NewPasswords,
  recordThrottling,
  strangerOf,
  type AcceptedPassword,
  type Refusal,
} from '../credentials/index.js';
import { retryOnConflict } from '../user-slot/write/index.js';
import { outcomeOf } from './change-outcome.js';
import { usernameDigest } from './names/username.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import type { User, UserRecord } from './user.js';

export type PasswordOutcome =
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | { readonly outcome: 'refused'; readonly failure: RuleFailure }
  | Refusal;

export interface PasswordChange {
  readonly current: Secret;
  readonly next: Secret;
  /** The session that continues. All others end. */
  readonly sessionId: string;
  /** The user, because the policy refuses a password that is made of the user's names. */
  readonly user: Pick<User, 'username' | 'email'> & Partial<Pick<User, 'displayName'>>;
}

/** Changes of the own password. */
@Injectable()
export class PasswordChanges {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly credentials: Credentials,
    private readonly passwords: NewPasswords,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Sets a new password and ends all sessions but one. Repeating an unconfirmed change succeeds, although the new password is the
   * current one by then. So does the same change at the same time.
   */
  async change(
    userId: string,
    { current, next, sessionId, user }: PasswordChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<PasswordOutcome> {
    const { username: name, email, displayName } = user;
    const context = { username: name, email: email ?? '', displayName: displayName ?? '' };
    const accepted = this.passwords.accept(next, context);
    if (!accepted.isAccepted) {
      return { outcome: 'refused', failure: accepted.failure };
    }
    let hash: Secret | undefined;
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
        hash ??= await this.hashNew(check.user, accepted, origin, deadline);
      }
      const change = {
        // A repeated change is written again, so that it is confirmed and announced.
        password: check.isRepeated
          ? { hash: passwordHash, version: passwordVersion }
          : { hash: hash!, version: passwordVersion + 1 },
        ifPasswordVersion: passwordVersion,
        // The first call has ended the other sessions. This one may be among them, and must not end the one that continues.
        endsSessions: !check.isRepeated,
        exceptSessionId: sessionId,
      };
      // The first call may not have been confirmed, so its repetition is recorded, and marked.
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
