import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { NearCache } from '../../near-cache/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import {
  MOST_OVERTAKEN,
  type AccountChange,
  type Accounts,
  type ChangeOutcome,
  type SessionsEffect,
} from './accounts.js';
import type { RedisUserStore } from './redis-user-store.js';
import type { UserRecord } from '../user.js';
import { checkedUser } from './checked-user.js';
import { userSubject, type UserRecords } from './user-records.js';
import {
  UserStoreError,
  UserStoreUnavailableError,
  type NewUser,
  type StoredChange,
  type UserStore,
} from './user-store.js';
import type { Copy } from './users.scripts.js';

/** What the store says of a user, and the change of this call, if it is that which has made it so. */
interface Said {
  readonly user: UserRecord | undefined;
  readonly own?: (StoredChange & SessionsEffect) | undefined;
}

/**
 * A store of the application's own, and in Redis a copy of each user who can have sessions, by which they are decided. The
 * copy is written after the store, within a change of the near cache, and only if nobody has written it since before the
 * store was asked: so it is never older than what the last call to return has read. Why that is enough: docs/coherence.md.
 */
export class MirroredUserStore implements Accounts {
  constructor(
    private readonly store: UserStore,
    private readonly redis: RedisUserStore,
    private readonly records: UserRecords,
    private readonly cache: NearCache,
  ) {}

  /** There is no copy before the first login. */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    let unhashed: unknown;
    const hashes: Secret[] = [];
    const hash = async (): Promise<Secret> => {
      try {
        hashes.push(await passwordHash());
        return hashes[0]!;
      } catch (error) {
        unhashed = error;
        throw error;
      }
    };
    return tell(deadline, hashes, () =>
      this.store.create(user, hash, deadline).catch((error: unknown) => {
        throw error === unhashed ? new PassedOn(error) : error;
      }),
    ).then((added) => added && checkedUser(user.id, added));
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await ask(deadline, [], () => this.store.find(userId, deadline));
    return user && checkedUser(userId, user);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await ask(deadline, [], () => this.store.findByUsername(usernameKey, deadline));
    return user && checkedUser(user.id, user);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await this.find(userId, deadline);
    return (await this.isKnown(userId, user, deadline)) ? user : this.reload(userId, deadline);
  }

  async admit(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
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
    await ask(deadline, [verified, renewed], () =>
      this.store.renewHash(userId, verified, renewed, deadline),
    );
  }

  async remove(
    userId: string,
    ifPasswordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    let isRemoved: boolean | undefined;
    await this.writeCopy(userId, deadline, async () => {
      isRemoved ??= await this.deleteFromStore(userId, ifPasswordVersion, deadline);
      return isRemoved ? { user: undefined, own: {} } : { user: await this.find(userId, deadline) };
    });
    return isRemoved!;
  }

  /** The store has no part in it, and need not be there. */
  async endSessions(
    userId: string,
    exceptSessionId: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const hadCopy = await this.redis.endSessions(userId, exceptSessionId, deadline);
    return hadCopy || (await this.find(userId, deadline)) !== undefined;
  }

  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.writeCopy(userId, deadline, async () => ({
      user: await this.find(userId, deadline),
    }));
  }

  /** @param askStore called again when somebody else has written the copy meanwhile */
  private async writeCopy(
    userId: string,
    deadline: Deadline,
    askStore: () => Promise<Said>,
  ): Promise<UserRecord | undefined> {
    return this.cache.change(
      userSubject(userId),
      async () => {
        for (let attempt = 0; attempt < MOST_OVERTAKEN; attempt += 1) {
          const copy = await this.records.findCopy(userId, deadline);
          const { user, own } = await askStore();
          const isNobody = user === undefined && own === undefined && copy.version === undefined;
          const effect = user ? effectOf(copy, user, own) : {};
          if (isNobody || (await this.records.putCopy(userId, user, copy, effect, deadline))) {
            return user;
          }
        }
        throw new NotConfirmedError('too many others change this user at the same time');
      },
      deadline,
    );
  }

  private async changeStore(
    userId: string,
    { ifPasswordVersion, ...given }: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const { email, displayName, roles, isDisabled, password } = given;
    const change = { email, displayName, roles, isDisabled, password };
    for (let attempt = 0; attempt < MOST_OVERTAKEN; attempt += 1) {
      const user = await this.find(userId, deadline);
      if (user === undefined) {
        return { outcome: 'unknown' };
      }
      if (ifPasswordVersion !== undefined && ifPasswordVersion !== user.passwordVersion) {
        return { outcome: 'outdated' };
      }
      const changed = await tell(deadline, password ? [password.hash] : [], () =>
        this.store.change(userId, change, user.revision, deadline),
      );
      if (changed) {
        return { outcome: 'changed', user: checkedUser(userId, changed) };
      }
    }
    throw new NotConfirmedError('too many others change this user at the same time');
  }

  private async deleteFromStore(
    userId: string,
    ifPasswordVersion: number | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_OVERTAKEN; attempt += 1) {
      const user = await this.find(userId, deadline);
      if (!user || (ifPasswordVersion ?? user.passwordVersion) !== user.passwordVersion) {
        return false;
      }
      if (await tell(deadline, [], () => this.store.delete(userId, user.revision, deadline))) {
        return true;
      }
    }
    throw new NotConfirmedError('too many others change this user at the same time');
  }

  /** Whether the copy says what the store says, and everybody has been told of it. */
  private async isKnown(
    userId: string,
    user: UserRecord | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const copy = await this.records.findCopy(userId, deadline);
    if (textOf(copy.user) !== textOf(user)) {
      return false;
    }
    // Whoever wrote it may not have got round to telling everybody: then it is told now.
    await this.cache.settle(userSubject(userId), deadline);
    return true;
  }
}

/**
 * What the news do to sessions. A password or an address that they have not heard of, and that is not of this call, ends
 * them all: somebody wanted so, and has perhaps been told that it may not have happened (OWASP ASVS 7.4.3).
 */
function effectOf(
  { user: known }: Copy,
  user: UserRecord,
  own: (StoredChange & SessionsEffect) | undefined,
): SessionsEffect {
  const hasNewPassword =
    known !== undefined &&
    known.passwordVersion !== user.passwordVersion &&
    user.passwordVersion !== own?.password?.version;
  const hasNewEmail =
    known !== undefined && known.email !== user.email && user.email !== own?.email;
  const isDisabled = user.isDisabled || own?.isDisabled === true;
  if (hasNewPassword || hasNewEmail || isDisabled) {
    return { endsSessions: true };
  }
  return { endsSessions: own?.endsSessions, exceptSessionId: own?.exceptSessionId };
}

/** All that the copy has. */
function textOf(user: UserRecord | undefined): string | undefined {
  return JSON.stringify(
    user && [
      [user.id, user.username, user.email, user.displayName, user.roles],
      [user.createdAt, user.updatedAt, user.isDisabled, user.passwordVersion],
    ],
  );
}

/** What was thrown by a part of ours that the store has called. */
class PassedOn {
  constructor(readonly error: unknown) {}
}

/** @param secrets that the call knows of, and that no error may tell */
async function ask<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (deadline.hasPassed) {
    // Nobody waits any more, and what is found now would make a revision that came after a newer change look right.
    throw new UserStoreUnavailableError('there was no time left to ask the store of users');
  }
  const answer = async (): Promise<Answer> => call();
  return deadline.limit(
    answer().catch((error: unknown) => {
      throw error instanceof PassedOn ? error.error : faultOf(error, secrets);
    }),
    () => new UserStoreUnavailableError('the store of users did not answer in time'),
  );
}

/** For what may have been done, though nobody said so. */
async function tell<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask(deadline, secrets, call);
  } catch (error) {
    throw error instanceof UserStoreUnavailableError
      ? new NotConfirmedError('the store of users did not confirm a change', { cause: error })
      : error;
  }
}

/** Errors of databases carry rows and parameters with them; what is logged is their text, without what is secret. */
function faultOf(error: unknown, secrets: readonly Secret[]): Error {
  if (error instanceof UserStoreUnavailableError) {
    return error;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const open = (text: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), '…'), text);
  const fault = new UserStoreError(open(`${name}: ${message}`));
  fault.stack = open(stack ?? fault.message);
  return fault;
}
