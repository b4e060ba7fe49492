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
  NewAccount,
  RemovalOutcome,
  Unwritten,
} from './accounts.js';
import type { ValidatingUserStore } from './validating-user-store.js';

/** A user in the store, and the change of this call, if it was made. */
interface StoreState {
  readonly user: UserRecord | undefined;
  readonly own?: (StoredChange & SessionsEffect) | undefined;
  /** Whether this call has deleted the user. */
  readonly isDeleted?: boolean;
}

/**
 * Another call has changed the user in the store. It writes the copy, because only that call knows which session stays live. The caller
 * of this one reads the user again.
 */
const OVERTAKEN = Symbol('OVERTAKEN');

/**
 * A `UserStore` of the application, with a copy in Redis of each user who can have sessions. The copy decides which sessions
 * are live. A call first writes the store, and then the copy, within a change of the near cache. It reads the copy before it
 * reads the store, and writes the copy only if no other call has written it since. The copy is therefore never older than the
 * state that the last completed call has read. docs/coherence.md explains why this is enough.
 */
export class MirroredAccounts implements Accounts {
  constructor(
    private readonly store: ValidatingUserStore,
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /** Does not write the copy. The first login writes it. */
  async create(
    newAccount: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const { id, username, usernameKey, email, displayName, roles } = newAccount;
    const { createdAt, isDisabled, verifiedEmail } = newAccount;
    const user = {
      ...{ id, username, usernameKey, email, displayName, roles },
      ...(createdAt && { createdAt }),
      ...(isDisabled && { isDisabled }),
      ...(verifiedEmail && { verifiedEmail }),
    };
    return this.store.create(user, passwordHash, deadline);
  }

  async isFree({ id, usernameKey }: NewAccount, deadline: Deadline): Promise<boolean> {
    const owner = await this.store.findByUsername(usernameKey, deadline);
    return owner === undefined || owner.id === id;
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.store.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.store.findByUsername(usernameKey, deadline);
  }

  /** One call of the store finds the user, and it belongs to the second half. */
  locate(usernameKey: string, deadline: Deadline): Promise<() => Promise<UserRecord | undefined>> {
    return Promise.resolve(async () => this.findByUsername(usernameKey, deadline));
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
      if (outcome.outcome === 'outdated') {
        return OVERTAKEN;
      }
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
      if (removal.outcome === 'outdated') {
        return OVERTAKEN;
      }
      return removal.outcome === 'removed'
        ? { user: undefined, isDeleted: true }
        : { user: await this.find(userId, deadline) };
    });
    return removal!;
  }

  /** Needs the store only if there is no copy. */
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

  /**
   * @param askStore called again when another call has written the copy in the meantime
   */
  private async writeCopy(
    userId: string,
    deadline: Deadline,
    askStore: () => Promise<StoreState | typeof OVERTAKEN>,
  ): Promise<UserRecord | undefined> {
    let current: UserRecord | undefined;
    const decide = async (copy: UserCopy) => {
      const state = await askStore();
      if (state === OVERTAKEN) {
        return undefined;
      }
      const { user, own, isDeleted = false } = state;
      current = user;
      const isNobody = user === undefined && !own && !isDeleted && copy.version === undefined;
      const effect = user ? effectOf(copy, user, own) : {};
      return isNobody ? undefined : { user, isDeleted, effect };
    };
    await this.writer.updateCopy(userId, decide, deadline);
    return current;
  }

  private async changeStore(
    userId: string,
    given: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const { email, verifiedEmail, displayName, roles, isDisabled, password } = given;
    const change = { email, verifiedEmail, displayName, roles, isDisabled, password };
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

  /** Whether the copy equals the user in the store. If so, all instances have applied this state when the method returns. */
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
 * The effect of a new state on sessions. If the store has another password or e-mail address than the copy, and this call did
 * not set it, all sessions end. Another call has set it, and that call may have failed before it ended the sessions (OWASP ASVS
 * 7.4.3).
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

/** All members that the copy contains, as text. */
function textOf(user: UserRecord | undefined): string | undefined {
  return JSON.stringify(
    user && [
      [user.id, user.username, user.email, user.verifiedEmail, user.displayName, user.roles],
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
