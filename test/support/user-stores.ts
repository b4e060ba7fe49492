import type { UserRecord, UserStore } from '../../src/users/index.js';
import type { Accounts } from '../../src/users/store/accounts.js';

type Changed = ReturnType<UserStore['change']>;

/** Users in Redis, as a `UserStore`. */
export function asUserStore(users: Accounts): UserStore {
  return {
    create: (...args) => users.create(...args),
    find: (...args) => users.find(...args),
    findByUsername: (...args) => users.findByUsername(...args),
    renewHash: (...args) => users.renewHash(...args),
    change: async (userId, change, ifRevision, deadline) => {
      const result = await users.update(userId, { ...change, ifRevision }, deadline);
      return result.outcome === 'changed' ? result.user : undefined;
    },
    delete: async (userId, ifRevision, deadline) =>
      (await users.remove(userId, { ifRevision }, deadline)).outcome === 'removed',
  };
}

/** Replaces one method of a store; the replacement may call the original. */
export function replacing<Name extends 'find' | 'change'>(
  store: UserStore,
  name: Name,
  instead: (call: () => ReturnType<UserStore[Name]>) => ReturnType<UserStore[Name]>,
): UserStore {
  const method = (...args: never[]): unknown =>
    instead(() => (store[name] as (...all: never[]) => ReturnType<UserStore[Name]>)(...args));
  return Object.assign(Object.create(store) as UserStore, { [name]: method });
}

export function withFind(
  store: UserStore,
  after: (user: UserRecord | undefined) => ReturnType<UserStore['find']>,
): UserStore {
  return replacing(store, 'find', async (call) => after(await call()));
}

export function withChange(
  store: UserStore,
  after: (user: UserRecord | undefined) => Changed,
): UserStore {
  return replacing(store, 'change', async (call) => after(await call()));
}
