import { Injectable } from '@nestjs/common';
import { concatMap, defer, filter, finalize, merge, Observable, share, timer } from 'rxjs';

import type { Permission, Principal } from '../common/authentication/index.js';
import { Deadline } from '../common/deadline/index.js';
import { NearCache } from '../near-cache/index.js';
import { RoleReader, ROLES_SUBJECT } from '../roles/read/index.js';
import { accountSubject, ServiceAccountReader } from '../service-accounts/read/index.js';
import { userSubject, UserReader } from '../user-slot/read/index.js';

/** As in AccessWatch: also sees a change that was not announced, and stays a holder of what it watches. */
const RECHECK_INTERVAL_MS = 60_000;
const CHECK_TIMEOUT_MS = 1800;

/** Notices that the caller of a stream has lost a permission. AccessWatch only notices the end of a session or an account. */
@Injectable()
export class CallerWatch {
  private readonly losses = new Map<string, Observable<unknown>>();

  constructor(
    private readonly cache: NearCache,
    private readonly users: UserReader,
    private readonly accounts: ServiceAccountReader,
    private readonly roles: RoleReader,
  ) {}

  /**
   * Emits when the caller does not have the permission any more, or when that is not known. All streams of a caller share it, so that
   * one change of the caller costs one look-up.
   */
  lossOf(caller: Principal, permission: Permission): Observable<unknown> {
    const id = `${subjectOf(caller)} ${permission}`;
    return defer(() => {
      const loss =
        this.losses.get(id) ??
        merge(this.hints(caller), timer(0, RECHECK_INTERVAL_MS)).pipe(
          concatMap(async () => this.has(caller, permission).catch(() => false)),
          filter((isAllowed) => !isAllowed),
          finalize(() => this.losses.delete(id)),
          share(),
        );
      this.losses.set(id, loss);
      return loss;
    });
  }

  private hints(caller: Principal): Observable<void> {
    return new Observable((subscriber) => {
      [subjectOf(caller), ROLES_SUBJECT].forEach((each) =>
        subscriber.add(this.cache.onDrop(each, () => subscriber.next())),
      );
    });
  }

  /** Makes this instance a holder of what it reads, so that the next change is a hint again. */
  private async has(caller: Principal, permission: Permission): Promise<boolean> {
    const deadline = Deadline.after(CHECK_TIMEOUT_MS);
    if (caller.kind === 'client') {
      const account = await this.accounts.checkAndWatch(caller.clientId, deadline);
      return account.state === 'live' && account.permissions.includes(permission);
    }
    const user = await this.users.confirmAndWatchProfile(caller.userId, deadline);
    const roles = await this.roles.current(deadline);
    return user !== undefined && roles.grant(user.roles, [permission]);
  }
}

function subjectOf(caller: Principal): string {
  return caller.kind === 'user' ? userSubject(caller.userId) : accountSubject(caller.clientId);
}
