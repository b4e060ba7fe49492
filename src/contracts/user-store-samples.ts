import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import type { NewUser, StoredChange, UserRecord, UserStore } from '../users/index.js';

/** Longer than the hashes of the default parameters. */
export const HASH = new Secret(`$hash$of a password$${'x'.repeat(200)}`);
export const OTHER_HASH = new Secret(`$hash$of a password$${'x'.repeat(199)}y`);
/** A store may release a name with a delay. */
const NAME_FREE_TIMEOUT_MS = 20_000;
export const PAUSE_MS = 50;
export const until = Deadline.none;

export const newUser = (given: Partial<NewUser> = {}): NewUser => {
  const id = randomUUID();
  const name = `user-${id}`;
  return {
    id,
    username: name,
    usernameKey: name,
    email: null,
    displayName: null,
    roles: [],
    ...given,
  };
};
export const accented = (): Partial<NewUser> => {
  const name = `ädä-${randomUUID()}`;
  return { username: name, usernameKey: name };
};
/** A user in a comparable form: secrets hide their content, so they are revealed. */
export const shown = (user: UserRecord | undefined) =>
  user && {
    id: user.id,
    username: user.username,
    email: user.email,
    displayName: user.displayName,
    roles: [...user.roles],
    createdAt: user.createdAt,
    updatedAt: user.updatedAt,
    isDisabled: user.isDisabled,
    passwordVersion: user.passwordVersion,
    passwordHash: user.passwordHash.reveal(),
  };

export const add = async (store: UserStore, given: Partial<NewUser> = {}): Promise<UserRecord> => {
  const user = await store.create(newUser(given), () => Promise.resolve(HASH), until);
  assert.ok(user, 'the name of a new user is taken');
  return user;
};
export const changed = async (
  store: UserStore,
  userId: string,
  change: StoredChange,
): Promise<UserRecord> => {
  for (;;) {
    const user = await store.find(userId, until);
    assert.ok(user, 'the user is gone');
    const result = await store.change(userId, change, user.revision, until);
    if (result) {
      return result;
    }
    // A conflict: another call must have changed the revision.
    assert.notEqual((await store.find(userId, until))?.revision, user.revision);
  }
};

export async function untilAdded(store: UserStore, user: NewUser): Promise<UserRecord> {
  for (const begin = Date.now(); Date.now() < begin + NAME_FREE_TIMEOUT_MS;) {
    const added = await store.create(user, () => Promise.resolve(HASH), until);
    if (added) {
      return added;
    }
    await delay(PAUSE_MS);
  }
  throw new assert.AssertionError({ message: 'the name does not become free' });
}
