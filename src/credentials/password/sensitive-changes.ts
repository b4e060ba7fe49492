import { Injectable } from '@nestjs/common';

import {
  isLoginRecent,
  type AuthenticatedUser,
  type UserPrincipal,
} from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { PasswordChecks, type OwnCheck, type Refusal } from './password-checks.js';
import type { AttemptSubject } from '../throttled-attempts.js';

/** The user who asks for a sensitive change. */
export interface ChangingUser extends Pick<UserPrincipal, 'userId' | 'authTime'> {
  readonly user: Pick<AuthenticatedUser, 'hasSecondFactor'>;
}

/** The caller answers 403: the client reauthenticates and repeats the request. */
export interface ReauthenticationRequired {
  readonly outcome: 'reauthentication-required';
}

/**
 * What a user must prove before a sensitive change: a recent login, or the current password. The password alone is not enough for a
 * user with a second factor (OWASP ASVS 7.5.1).
 */
@Injectable()
export class SensitiveChanges {
  constructor(
    private readonly passwordChecks: PasswordChecks,
    private readonly clock: Clock,
  ) {}

  isLoginRecent(user: Pick<ChangingUser, 'authTime'>): boolean {
    return isLoginRecent(user, this.clock.nowSeconds());
  }

  /**
   * The proof for a change that needs a recent login, or the current password if the user has no second factor.
   *
   * @param currentPassword checked if given, even after a recent login
   * @returns `ifPasswordVersion`: of the password that was checked, as a condition of the write
   * @throws as `checkPassword`
   */
  async prove(
    changing: ChangingUser,
    attempt: AttemptSubject['attempt'],
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<
    | { readonly outcome: 'right'; readonly ifPasswordVersion?: number }
    | ReauthenticationRequired
    | Refusal
  > {
    if (currentPassword === undefined) {
      return { outcome: this.isLoginRecent(changing) ? 'right' : 'reauthentication-required' };
    }
    const check = await this.checkPassword(changing, attempt, origin, deadline, currentPassword);
    return check.outcome === 'right'
      ? { outcome: 'right', ifPasswordVersion: check.user.passwordVersion }
      : check;
  }

  /**
   * Checks the current password, even after a recent login. With a second factor, the login must be recent as well.
   *
   * @param attempt the action for which the request needs the password. A wrong one counts like a wrong password at a login
   * @param repeated see `PasswordChecks.checkOwn`
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async checkPassword(
    changing: ChangingUser,
    attempt: AttemptSubject['attempt'],
    origin: Origin,
    deadline: Deadline,
    password: Secret,
    repeated?: Secret,
  ): Promise<OwnCheck | ReauthenticationRequired> {
    const { userId, user } = changing;
    // Only a record that was read with its factors says that there is none.
    return user.hasSecondFactor !== false && !this.isLoginRecent(changing)
      ? { outcome: 'reauthentication-required' }
      : this.passwordChecks.checkOwn(userId, attempt, origin, deadline, password, repeated);
  }
}
