import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type {
  SessionsEffect,
  StoredChange,
  UserCopy,
  UserReader,
  UserRecord,
} from '../../user-slot/read/index.js';
import { CONFLICT, retryOnConflict, type UserWriter } from '../../user-slot/write/index.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  RemovalOutcome,
  Unwritten,
} from './accounts.js';
import type { ValidatingUserStore } from './validating-user-store.js';
import type { NewUser } from './user-store.js';

/** A user in the store, and the change of this call, if it was made. */
interface StoreState {
  readonly user: UserRecord | undefined;
  readonly own?: (StoredChange & SessionsEffect) | undefined;
}

/**
 * A `UserStore` of the application, with a copy in Redis of each user who can have sessions. The copy decides about sessions. It
 * is written after the store, within a change of the near cache, and only if no other call has written it since before the store
 * was read. So it is never older than the state that the last completed call has read. Why that suffices: docs/coherence.md.
 */
export class MirroredAccounts implements Accounts {
  constructor(
    private readonly store: ValidatingUserStore,
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /** Writes no copy: the first login does. */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    return this.store.create(user, passwordHash, deadline);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.store.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.store.findByUsername(usernameKey, deadline);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await this.find(userId, deadline);
    return (await this.isKnown(userId, user, deadline)) ? user : this.reload(userId, deadline);
  }

  async prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    if (await this.isKnown(user.id, user, deadline)) {
      return user;
    }
    const now = await this.reload(user.id, deadline);
    return now?.passwordVersion === user.passwordVersion ? now : undefined;
  }

  async update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome> {
    let outcome: ChangeOutcome | undefined;
    await this.writeCopy(userId, deadline, async () => {
      if (outcome) {
        const own = outcome.outcome === 'changed' ? change : undefined;
        return { user: await this.find(userId, deadline), own };
      }
      outcome = await this.changeStore(userId, change, deadline);
      return outcome.outcome === 'changed'
        ? { user: outcome.user, own: change }
        : { user: await this.find(userId, deadline) };
    });
    return outcome!;
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await this.store.renewHash(userId, verified, renewed, deadline);
  }

  async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    let removal: RemovalOutcome | undefined;
    await this.writeCopy(userId, deadline, async () => {
      removal ??= await this.deleteFromStore(userId, conditions, deadline);
      return removal.outcome === 'removed'
        ? { user: undefined, own: {} }
        : { user: await this.find(userId, deadline) };
    });
    return removal!;
  }

  /** Does not need the store while there is a copy. */
  async endSessions(
    userId: string,
    conditions: Parameters<Accounts['endSessions']>[1],
    deadline: Deadline,
  ): Promise<EndOutcome> {
    const effect = { ...conditions, endsSessions: true };
    const result = await this.writer.change(userId, effect, deadline);
    if (result.outcome !== 'unknown') {
      return result.outcome === 'changed' ? { outcome: 'ended' } : result;
    }
    // Without a copy there are no sessions.
    const user = await this.find(userId, deadline);
    return (user && refusalOf(user, conditions)) ?? { outcome: user ? 'ended' : 'unknown' };
  }

  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.writeCopy(userId, deadline, async () => ({
      user: await this.find(userId, deadline),
    }));
  }

  /** @param askStore called again when another call has written the copy in between */
  private async writeCopy(
    userId: string,
    deadline: Deadline,
    askStore: () => Promise<StoreState>,
  ): Promise<UserRecord | undefined> {
    let current: UserRecord | undefined;
    const decide = async (copy: UserCopy) => {
      const { user, own } = await askStore();
      current = user;
      const isNobody = user === undefined && own === undefined && copy.version === undefined;
      return isNobody ? undefined : { user, effect: user ? effectOf(copy, user, own) : {} };
    };
    await this.writer.updateCopy(userId, decide, deadline);
    return current;
  }

  private async changeStore(
    userId: string,
    given: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const { email, displayName, roles, isDisabled, password } = given;
    const change = { email, displayName, roles, isDisabled, password };
    return retryOnConflict(async () => {
      const user = await this.store.find(userId, deadline);
      if (user === undefined) {
        return { outcome: 'unknown' };
      }
      const refusal = refusalOf(user, given);
      if (refusal) {
        return refusal;
      }
      const changed = await this.store.change(userId, change, user.revision, deadline);
      return changed ? { outcome: 'changed', user: changed } : CONFLICT;
    });
  }

  private async deleteFromStore(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    return retryOnConflict(async () => {
      const user = await this.store.find(userId, deadline);
      if (user === undefined) {
        return { outcome: 'unknown' };
      }
      const refusal = refusalOf(user, conditions);
      if (refusal) {
        return refusal;
      }
      const isDeleted = await this.store.delete(userId, user.revision, deadline);
      return isDeleted ? { outcome: 'removed' } : CONFLICT;
    });
  }

  /** Whether the copy equals the user in the store. If so, it is known to all instances when this returns. */
  private async isKnown(
    userId: string,
    user: UserRecord | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const copy = await this.reader.findCopy(userId, deadline);
    if (textOf(copy.user) !== textOf(user)) {
      return false;
    }
    // The call that wrote the copy may have failed before all holders acknowledged it.
    await this.reader.settle(userId, deadline);
    return true;
  }
}

/**
 * The effect of new state on sessions. A new password or address that the copy does not have and that this call did not set ends
 * all sessions: another call set it, which has to end them and may not have been confirmed (OWASP ASVS 7.4.3).
 */
function effectOf(
  { user: known }: UserCopy,
  user: UserRecord,
  own: (StoredChange & SessionsEffect) | undefined,
): SessionsEffect {
  const hasNewPassword = known !== undefined && known.passwordVersion !== user.passwordVersion;
  const isOwnPassword = user.passwordVersion === own?.password?.version;
  const hasNewEmail =
    known !== undefined && known.email !== user.email && user.email !== own?.email;
  const isDisabled = user.isDisabled || own?.isDisabled === true;
  if ((hasNewPassword && !isOwnPassword) || hasNewEmail || isDisabled) {
    return { endsSessions: true };
  }
  return {
    endsSessions: hasNewPassword || own?.endsSessions,
    exceptSessionId: own?.exceptSessionId,
  };
}

/** All members that the copy has. */
function textOf(user: UserRecord | undefined): string | undefined {
  return JSON.stringify(
    user && [
      [user.id, user.username, user.email, user.displayName, user.roles],
      [user.createdAt, user.updatedAt, user.isDisabled, user.passwordVersion],
    ],
  );
}

/** The condition that the user violates, if any. The write then names the revision that was checked. */
function refusalOf(
  user: UserRecord,
  { ifPasswordVersion, ifRevision, unlessRoles }: Conditions,
): Unwritten | undefined {
  const isOutdated =
    (ifPasswordVersion ?? user.passwordVersion) !== user.passwordVersion ||
    (ifRevision ?? user.revision) !== user.revision;
  if (isOutdated) {
    return { outcome: 'outdated' };
  }
  const role = unlessRoles?.find((name) => user.roles.includes(name));
  return role === undefined ? undefined : { outcome: 'protected', role };
}
