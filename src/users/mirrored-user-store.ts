import type { Deadline } from '../common/deadline/index.js';
import type { Secret } from '../common/secret/index.js';
import type { NearCache } from '../near-cache/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import type { Accounts, SessionsEffect } from './accounts.js';
import type { UserRecord } from './user.js';
import { userSubject, type UserRecords } from './user-records.js';
import {
  UserStoreUnavailableError,
  type ChangeOutcome,
  type NewUser,
  type StoredChange,
  type UserStore,
} from './user-store.js';

/** Others who write the copy of the same user at the same time; whoever comes late asks the store again. */
const MOST_OVERTAKEN = 20;

/**
 * A store of the application's own, and in Redis a copy of each user who has logged in, by which sessions are decided. The
 * copy is written after the store, within a change of the near cache, and only if nobody has written it since before the
 * store was asked: so it is never older than what the last call to return has read. Why that is enough: docs/coherence.md.
 */
export class MirroredUserStore implements Accounts {
  constructor(
    private readonly store: UserStore,
    private readonly records: UserRecords,
    private readonly cache: NearCache,
  ) {}

  /** There is no copy before the first login. */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    return tell(deadline, () => this.store.create(user, passwordHash, deadline));
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return ask(deadline, () => this.store.find(userId, deadline));
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return ask(deadline, () => this.store.findByUsername(usernameKey, deadline));
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await this.find(userId, deadline);
    return (await this.isCopied(userId, user, deadline)) ? user : this.reload(userId, deadline);
  }

  async admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    if (await this.isCopied(user.id, user, deadline)) {
      return user;
    }
    const now = await this.reload(user.id, deadline);
    return now?.passwordVersion === user.passwordVersion ? now : undefined;
  }

  async change(
    userId: string,
    { endsSessions, exceptSessionId, ...change }: StoredChange & SessionsEffect,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    let outcome: ChangeOutcome | undefined;
    await this.writeCopy(
      userId,
      { endsSessions: endsSessions ?? false, exceptSessionId },
      deadline,
      async () => {
        if (outcome) {
          return this.find(userId, deadline);
        }
        outcome = await tell(deadline, () => this.store.change(userId, change, deadline));
        return outcome.outcome === 'changed' ? outcome.user : this.find(userId, deadline);
      },
    );
    return outcome!;
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await ask(deadline, () => this.store.renewHash(userId, verified, renewed, deadline));
  }

  async delete(
    userId: string,
    ifPasswordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    let isDeleted: boolean | undefined;
    await this.writeCopy(userId, {}, deadline, async () => {
      isDeleted ??= await tell(deadline, () =>
        this.store.delete(userId, ifPasswordVersion, deadline),
      );
      return isDeleted ? undefined : this.find(userId, deadline);
    });
    return isDeleted!;
  }

  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.writeCopy(userId, {}, deadline, async () => this.find(userId, deadline));
  }

  /** @param askStore what the store says; called again when somebody else has written the copy meanwhile */
  private async writeCopy(
    userId: string,
    effect: SessionsEffect,
    deadline: Deadline,
    askStore: () => Promise<UserRecord | undefined>,
  ): Promise<UserRecord | undefined> {
    return this.cache.change(
      userSubject(userId),
      async () => {
        for (let attempt = 0; attempt < MOST_OVERTAKEN; attempt += 1) {
          const { version } = await this.records.findCopy(userId, deadline);
          const user = await askStore();
          if (await this.records.putCopy(userId, user, version, effect, deadline)) {
            return user;
          }
        }
        throw new NotConfirmedError('too many others change this user at the same time');
      },
      deadline,
    );
  }

  private async isCopied(
    userId: string,
    user: UserRecord | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const copy = await this.records.findCopy(userId, deadline);
    return textOf(copy.user) === textOf(user);
  }
}

/** All but the hash, which the copy does not have. */
function textOf(user: UserRecord | undefined): string {
  return (
    JSON.stringify(
      user && [
        [user.id, user.username, user.email, user.displayName, user.roles],
        [user.createdAt, user.updatedAt, user.isDisabled, user.passwordVersion],
      ],
    ) ?? ''
  );
}

async function ask<Answer>(deadline: Deadline, call: () => Promise<Answer>): Promise<Answer> {
  return deadline.limit(
    call(),
    () => new UserStoreUnavailableError('the store of users did not answer in time'),
  );
}

/** For what may have been done, though nobody said so. */
async function tell<Answer>(deadline: Deadline, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask(deadline, call);
  } catch (error) {
    throw error instanceof UserStoreUnavailableError
      ? new NotConfirmedError('the store of users did not confirm a change', { cause: error })
      : error;
  }
}
