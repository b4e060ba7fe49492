import { Injectable } from '@nestjs/common';

import type { UserPrincipal } from '../../common/authentication/index.js';
import { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Secret } from '../../common/secret/index.js';
import { UserReader } from '../../user-slot/read/index.js';
import { PasswordChecks, type Refusal } from './password-checks.js';
import type { AttemptSubject } from '../throttled-attempts.js';

/** How long a login counts as reauthentication (OWASP ASVS 7.5.1). */
const RECENT_LOGIN_MS = 10 * 60 * 1000;

type SessionIds = Pick<UserPrincipal, 'userId' | 'sessionId'>;

export type ReauthenticationOutcome =
  | {
      readonly outcome: 'reauthenticated';
      /** The version of the password that was checked, as a condition of the write. Undefined after a recent login. */
      readonly ifPasswordVersion?: number;
    }
  | { readonly outcome: 'reauthentication-required' }
  | Refusal;

/** Reauthentication of a session before a sensitive change: a recent login, or the current password. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly passwordChecks: PasswordChecks,
    private readonly reader: UserReader,
    private readonly clock: Clock,
  ) {}

  /** Whether the login of the session is recent. A refresh does not count as a login. */
  async isLoginRecent({ userId, sessionId }: SessionIds, deadline: Deadline): Promise<boolean> {
    const found = await this.reader.authenticationOf(userId, sessionId, deadline);
    return found !== undefined && this.clock.now() - found.time * 1000 <= RECENT_LOGIN_MS;
  }

  /**
   * @param attempt the action for which the request needs the reauthentication
   * @param currentPassword if given, it is checked, even after a recent login. A wrong one counts like a wrong password at a
   * login
   * @throws HashingOverloadedError, RedisUnavailableError, NotConfirmedError, UserStoreUnavailableError
   */
  async reauthenticate(
    session: SessionIds,
    attempt: AttemptSubject['attempt'],
    currentPassword: Secret | undefined,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ReauthenticationOutcome> {
    if (currentPassword === undefined) {
      const isRecent = await this.isLoginRecent(session, deadline);
      return { outcome: isRecent ? 'reauthenticated' : 'reauthentication-required' };
    }
    const { userId } = session;
    const check = await this.passwordChecks.checkOwn(
      userId,
      attempt,
      origin,
      deadline,
      currentPassword,
    );
    return check.outcome === 'right'
      ? { outcome: 'reauthenticated', ifPasswordVersion: check.user.passwordVersion }
      : check;
  }
}
