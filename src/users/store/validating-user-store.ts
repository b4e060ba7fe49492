import type { Deadline } from '../../common/deadline/index.js';
import { PassedOn } from '../../common/port-call/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';
import { callStore } from './call-store.js';
import { validateUser } from './validate-user.js';
import { UserStoreUnavailableError, type NewUser, type UserStore } from './user-store.js';

/**
 * Protects Keyslot from defects of the application's `UserStore`. It ends calls at the deadline, checks the returned users,
 * reports a write without a response as not confirmed, and removes secrets from errors.
 */
export class ValidatingUserStore implements UserStore {
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
    return added && validateUser(user.id, added);
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await callStore(deadline, [], () => this.store.find(userId, deadline));
    return user && validateUser(userId, user);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await callStore(deadline, [], () =>
      this.store.findByUsername(usernameKey, deadline),
    );
    return user && validateUser(user.id, user);
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
    return changed && validateUser(userId, changed);
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await callStore(deadline, [verified, renewed], () =>
      this.store.renewHash(userId, verified, renewed, deadline),
    );
  }

  async delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean> {
    return tell(deadline, [], () => this.store.delete(userId, ifRevision, deadline));
  }
}

/** For writes, which may have happened although the store did not respond. */
async function tell<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await callStore(deadline, secrets, call);
  } catch (error) {
    throw error instanceof UserStoreUnavailableError
      ? new NotConfirmedError('the user store did not confirm a change', { cause: error })
      : error;
  }
}
