import { randomUUID } from 'node:crypto';

import type { Clock } from '../../common/clock/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { ADMINISTRATOR } from '../../common/authentication/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import { CONFLICT, retryOnConflict } from '../../user-slot/write/index.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  NewAccount,
  RemovalOutcome,
} from '../store/accounts.js';
import { ForwardingAccounts } from '../store/forwarding-accounts.js';
import type {
  AdministratorRegistry,
  ExpiredRemoval,
  Reservation,
} from './administrator-registry.js';

/**
 * Maximum time of one removal. Shorter than the lifetime of a reservation, so that no other call settles a removal in progress.
 */
const REMOVAL_TIMEOUT_MS = 6000;
const RESERVATION_TTL_MS = 10_000;
/**
 * A promotion registers the candidate first and changes the record afterwards. An entry older than this is no promotion in
 * progress.
 */
const PROMOTION_TIMEOUT_MS = 60_000;
/** An administrator who gets tokens is registered again after this time, because another call may have dropped the entry. */
const REGISTRATION_INTERVAL_MS = 10 * 60 * 1000;
const MAX_REGISTERED = 1000;
/** Timeout of optional work. */
const BEST_EFFORT_TIMEOUT_MS = 300;

type Write<Outcome> = (ifRevision: string, deadline: Deadline) => Promise<Outcome>;

/**
 * Keeps at least one enabled administrator (OWASP ASVS 8.3.2, V10.3.2). All changes of accounts pass through this class, so
 * that no caller can skip the check. A change of a user who is not an administrator costs no extra command.
 *
 * Users are in different slots, so no script can check all of them. A removal therefore takes three steps. The registry
 * reserves it, if another candidate without a removal remains. The record of such a candidate must show an enabled
 * administrator. The write then names the revision that was read before the reservation. If the caller crashes, its reservation
 * expires. The next caller that finds the expired reservation gives the user a new revision, so that a late write is refused.
 * It then reads whether the user is still an administrator.
 */
export class AccountsKeepingAdministrators extends ForwardingAccounts {
  /** When each administrator was registered, on the monotonic clock. */
  private readonly registeredAt = new Map<string, number>();

  constructor(
    accounts: Accounts,
    private readonly registry: AdministratorRegistry,
    private readonly clock: Clock,
  ) {
    super(accounts);
  }

  override async create(
    user: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    if (!user.roles.includes(ADMINISTRATOR)) {
      return this.accounts.create(user, passwordHash, deadline);
    }
    const candidate = await this.registry.add(user.id, deadline);
    const created = await this.accounts.create(user, passwordHash, deadline);
    if (created === undefined) {
      await this.bestEffort(deadline, (limited) => this.registry.drop(candidate, limited));
    }
    return created;
  }

  override async prepareLogin(
    user: UserRecord,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    return this.registered(await this.accounts.prepareLogin(user, deadline), deadline);
  }

  override async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.registered(await this.accounts.findCurrent(userId, deadline), deadline);
  }

  override async update(
    userId: string,
    change: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const { roles, isDisabled, unlessRoles = [] } = change;
    if (roles === undefined && isDisabled === undefined) {
      return this.accounts.update(userId, change, deadline);
    }
    if (roles?.includes(ADMINISTRATOR) && isDisabled !== true) {
      return this.promote(userId, change, deadline);
    }
    const first = await this.accounts.update(userId, unlessAdministrator(change), deadline);
    if (!isAboutAdministrator(first, unlessRoles)) {
      return first;
    }
    return roles === undefined && isDisabled === false
      ? this.promote(userId, change, deadline)
      : this.removeOne(userId, change, deadline, (ifRevision, until) =>
          this.accounts.update(userId, { ...change, ifRevision }, until),
        );
  }

  override async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const first = await this.accounts.remove(userId, unlessAdministrator(conditions), deadline);
    return isAboutAdministrator(first, conditions.unlessRoles ?? [])
      ? this.removeOne(userId, conditions, deadline, (ifRevision, until) =>
          this.accounts.remove(userId, { ...conditions, ifRevision }, until),
        )
      : first;
  }

  private async promote(
    userId: string,
    change: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const candidate = await this.registry.add(userId, deadline);
    const result = await this.accounts.update(userId, change, deadline);
    if (result.outcome === 'unknown') {
      await this.bestEffort(deadline, (limited) => this.registry.drop(candidate, limited));
    }
    return result;
  }

  private async removeOne<Outcome extends ChangeOutcome | RemovalOutcome>(
    userId: string,
    { ifPasswordVersion, ifRevision, knownAdministratorId }: Conditions,
    requested: Deadline,
    write: Write<Outcome>,
  ): Promise<Outcome | { readonly outcome: 'outdated' | 'unknown' | 'last-administrator' }> {
    const deadline = requested.within(REMOVAL_TIMEOUT_MS);
    return retryOnConflict(async () => {
      const user = await this.accounts.find(userId, deadline);
      if (user === undefined) {
        return { outcome: 'unknown' as const };
      }
      const isOutdated =
        (ifPasswordVersion ?? user.passwordVersion) !== user.passwordVersion ||
        (ifRevision ?? user.revision) !== user.revision;
      if (isOutdated) {
        return { outcome: 'outdated' as const };
      }
      const result = isAdministrator(user)
        ? await this.removeReserved(user, knownAdministratorId, deadline, write)
        : await write(user.revision, deadline);
      // The caller's own conditions held at the read above, so another call has changed the user since then.
      return result !== CONFLICT && result.outcome === 'outdated' ? CONFLICT : result;
    });
  }

  private async removeReserved<Outcome extends ChangeOutcome | RemovalOutcome>(
    { id: userId, revision }: UserRecord,
    knownId: string | undefined,
    deadline: Deadline,
    write: Write<Outcome>,
  ): Promise<Outcome | typeof CONFLICT | { readonly outcome: 'last-administrator' }> {
    const token = randomUUID();
    const reserved = await this.registry.reserve(
      { userId, token, knownId: knownId === userId ? '' : knownId, lifeMs: RESERVATION_TTL_MS },
      deadline,
    );
    const release = async (): Promise<void> =>
      this.bestEffort(deadline, (limited) => this.registry.release(token, userId, limited));
    let remains: boolean;
    try {
      remains = await this.isAnyAdministrator(reserved, deadline);
    } catch (error) {
      await release();
      throw error;
    }
    if (!remains) {
      await release();
      await Promise.all(reserved.expired.map(async (removal) => this.settle(removal, deadline)));
      return reserved.expired.length > 0 ? CONFLICT : { outcome: 'last-administrator' };
    }
    // If the write throws, its outcome is unknown. The reservation then stays until `settle` determines the outcome.
    const result = await write(revision, deadline);
    const isRemoved = result.outcome === 'changed' || result.outcome === 'removed';
    if (isRemoved) {
      this.registeredAt.delete(userId);
    }
    await (isRemoved
      ? this.bestEffort(deadline, (limited) => this.registry.drop(reserved.subject, limited, token))
      : release());
    return result;
  }

  private async isAnyAdministrator(
    { free, now }: Reservation,
    deadline: Deadline,
  ): Promise<boolean> {
    for (const candidate of free) {
      if (isAdministrator(await this.accounts.find(candidate.userId, deadline))) {
        return true;
      }
      if (now - Number(candidate.version) > PROMOTION_TIMEOUT_MS) {
        await this.bestEffort(deadline, (limited) => this.registry.drop(candidate, limited));
      }
    }
    return false;
  }

  /** Determines the outcome of a removal whose reservation has expired. */
  private async settle(removal: ExpiredRemoval, deadline: Deadline): Promise<void> {
    const { token, userId } = removal;
    const found = await this.accounts.find(userId, deadline);
    if (found) {
      // A new revision makes the store refuse a late write of the removal.
      const { displayName, revision: ifRevision } = found;
      await this.accounts.update(userId, { displayName, ifRevision }, deadline);
    }
    const isStill = found && isAdministrator(await this.accounts.find(userId, deadline));
    await (isStill
      ? this.registry.release(token, userId, deadline)
      : this.registry.drop(removal, deadline, token));
  }

  /** Registers administrators when they get tokens, because an installation may be older than the registry. */
  private async registered(
    user: UserRecord | undefined,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    if (user?.roles.includes(ADMINISTRATOR) && isAdministrator(user)) {
      const now = this.clock.monotonic();
      const at = this.registeredAt.get(user.id);
      if (at === undefined || now - at > REGISTRATION_INTERVAL_MS) {
        await this.bestEffort(deadline, async (limited) => {
          await this.registry.add(user.id, limited);
          if (this.registeredAt.size >= MAX_REGISTERED) {
            this.registeredAt.clear();
          }
          this.registeredAt.set(user.id, now);
        });
      }
    }
    return user;
  }

  private async bestEffort(
    deadline: Deadline,
    work: (limited: Deadline) => Promise<unknown>,
  ): Promise<void> {
    await work(deadline.within(BEST_EFFORT_TIMEOUT_MS)).catch(() => undefined);
  }
}

function unlessAdministrator<Given extends Conditions>(conditions: Given): Given {
  // The role comes last, because the first match is reported as the reason.
  const unlessRoles = [...(conditions.unlessRoles ?? []), ADMINISTRATOR];
  return { ...conditions, unlessRoles };
}

function isAboutAdministrator(
  result: ChangeOutcome | RemovalOutcome,
  unlessRoles: readonly string[],
): boolean {
  return result.outcome === 'protected' && !unlessRoles.includes(result.role);
}

/** Whether the user can act as an administrator now. A user of an incomplete registration may still expire. */
function isAdministrator(user: UserRecord | undefined): boolean {
  const isProvisional = user && 'isProvisional' in user && user.isProvisional === true;
  return Boolean(user && !user.isDisabled && !isProvisional && user.roles.includes(ADMINISTRATOR));
}
