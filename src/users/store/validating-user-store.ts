import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { NotConfirmedError } from '../../redis-cluster/index.js';
import type { StoredChange, UserRecord } from '../../user-slot/read/index.js';
import { validateUser } from './validate-user.js';
import {
  UserStoreError,
  UserStoreUnavailableError,
  type NewUser,
  type UserStore,
} from './user-store.js';

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
    const user = await ask(deadline, [], () => this.store.find(userId, deadline));
    return user && validateUser(userId, user);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    const user = await ask(deadline, [], () => this.store.findByUsername(usernameKey, deadline));
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
    await ask(deadline, [verified, renewed], () =>
      this.store.renewHash(userId, verified, renewed, deadline),
    );
  }

  async delete(userId: string, ifRevision: string, deadline: Deadline): Promise<boolean> {
    return tell(deadline, [], () => this.store.delete(userId, ifRevision, deadline));
  }
}

/** An error of Keyslot's own callback, which the store has called. It is rethrown unchanged. */
class PassedOn {
  constructor(readonly error: unknown) {}
}

/** @param secrets that the call receives, and that no error may contain */
async function ask<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (deadline.hasPassed) {
    // The request has timed out, so a later request may have changed the user. A write based on a read now could overwrite that
    // change.
    throw new UserStoreUnavailableError('no time was left to call the user store');
  }
  const answer = async (): Promise<Answer> => call();
  return deadline.limit(
    answer().catch((error: unknown) => {
      throw error instanceof PassedOn ? error.error : faultOf(error, secrets);
    }),
    () => new UserStoreUnavailableError('the user store did not respond in time'),
  );
}

/** For writes, which may have happened although the store did not respond. */
async function tell<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask(deadline, secrets, call);
  } catch (error) {
    throw error instanceof UserStoreUnavailableError
      ? new NotConfirmedError('the user store did not confirm a change', { cause: error })
      : error;
  }
}

/** Errors of databases contain rows and parameters. Only name, message and stack are kept, without secrets. */
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
