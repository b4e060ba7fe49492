import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';
import { checkedUser } from './checked-user.js';
import {
  UserStoreError,
  UserStoreUnavailableError,
  type NewUser,
  type UserStore,
} from './user-store.js';

/**
 * A store of the application's own, as we can rely on it: it answers until the deadline or not at all, what it says of a user
 * is a user, what it may have done without saying so is not confirmed, and its errors tell no secret.
 */
export class GuardedUserStore implements UserStore {
  constructor(private readonly store: UserStore) {}

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
    const added = await tell(deadline, hashes, () =>
      this.store.create(user, hash, deadline).catch((error: unknown) => {
        throw error === unhashed ? new PassedOn(error) : error;
      }),
    );
    return added && checkedUser(user.id, added);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await ask(deadline, [], () => this.store.find(userId, deadline));
    return user && checkedUser(userId, user);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await ask(deadline, [], () => this.store.findByUsername(usernameKey, deadline));
    return user && checkedUser(user.id, user);
  }

  async change(
    userId: string,
    change: StoredChange,
    ifRevision: string,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const secrets = change.password ? [change.password.hash] : [];
    const changed = await tell(deadline, secrets, () =>
      this.store.change(userId, change, ifRevision, deadline),
    );
    return changed && checkedUser(userId, changed);
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

  async delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean> {
    return tell(deadline, [], () => this.store.delete(userId, ifRevision, deadline));
  }
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
