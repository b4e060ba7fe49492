import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Deadline } from '../common/deadline/index.js';
import { Secret } from '../common/secret/index.js';
import type { NewUser, StoredChange, UserRecord, UserStore } from '../users/index.js';
import type { TestRunner } from './test-runner.js';

const HASH = new Secret('$hash$of a password');
const OTHER_HASH = new Secret('$hash$of another one');
const AT_ONCE = 20;
/** A name may be free again a moment later. */
const LONGEST_UNTIL_FREE_MS = 20_000;
const PAUSE_MS = 50;
const until = Deadline.none;

const newUser = (given: Partial<NewUser> = {}): NewUser => {
  const id = randomUUID();
  const name = `user-${id}`;
  return {
    ...{ id, username: name, usernameKey: name, email: null, displayName: null, roles: [] },
    ...given,
  };
};
/** Secrets tell nothing of themselves, so they are compared in the open. */
const shown = (user: UserRecord | undefined) =>
  user && {
    ...{ id: user.id, username: user.username, email: user.email, displayName: user.displayName },
    ...{ roles: [...user.roles], createdAt: user.createdAt, updatedAt: user.updatedAt },
    ...{ isDisabled: user.isDisabled, passwordVersion: user.passwordVersion },
    passwordHash: user.passwordHash.reveal(),
  };

/** What every `UserStore` has to keep. Run it in the tests of yours: `userStoreContract({ describe, it }, …)`. */
export function userStoreContract(
  { describe, it }: TestRunner,
  create: () => UserStore | Promise<UserStore>,
): void {
  const add = async (store: UserStore, given: Partial<NewUser> = {}): Promise<UserRecord> => {
    const user = await store.create(newUser(given), () => Promise.resolve(HASH), until);
    assert.ok(user, 'the name of a new user is taken');
    return user;
  };
  const changed = async (
    store: UserStore,
    userId: string,
    change: StoredChange,
  ): Promise<UserRecord> => {
    const result = await store.change(userId, change, until);
    assert.ok(result.outcome === 'changed', `the change is ${result.outcome}`);
    return result.user;
  };

  describe('as a store of users', () => {
    it('finds by id and by the key of the name what was added', async () => {
      const store = await create();
      const before = Date.now() - 2000;
      const id = randomUUID();
      const user = newUser({
        id,
        username: `Ädä-陈-${id}`,
        usernameKey: `ädä-陈-${id}`,
        email: 'ada@example.com',
        displayName: '"Ada"; \u2028 🌒 \'--',
        roles: ['admin', 'a role of your own'],
      });

      const added = await store.create(user, () => Promise.resolve(HASH), until);

      assert.ok(added);
      assert.ok(
        added.createdAt.getTime() >= before && added.createdAt.getTime() <= Date.now() + 2000,
      );
      const { usernameKey, ...members } = user;
      const expected = {
        ...members,
        ...{ createdAt: added.createdAt, updatedAt: added.createdAt },
        ...{ isDisabled: false, passwordVersion: 1, passwordHash: HASH.reveal() },
      };
      assert.deepEqual(shown(added), expected);
      assert.deepEqual(shown(await store.find(id, until)), expected);
      assert.deepEqual(shown(await store.findByUsername(usernameKey, until)), expected);
    });

    it('finds nobody for what nobody has', async () => {
      const store = await create();
      const { username } = await add(store);

      assert.equal(await store.find(randomUUID(), until), undefined);
      for (const key of [username.toUpperCase(), `${username} `, username.slice(1), '', '%', '*']) {
        assert.equal(await store.findByUsername(key, until), undefined, `'${key}' is found`);
      }
    });

    it('gives a name to one of many who want it at once', async () => {
      const store = await create();
      const usernameKey = `wanted-${randomUUID()}`;

      const added = await Promise.all(
        Array.from({ length: AT_ONCE }, async () =>
          store.create(newUser({ usernameKey }), () => Promise.resolve(HASH), until),
        ),
      );

      const winners = added.filter((user) => user !== undefined);
      assert.equal(winners.length, 1);
      assert.equal((await store.findByUsername(usernameKey, until))?.id, winners[0]!.id);
    });

    it('has no password hashed for a name that is taken', async () => {
      const store = await create();
      const { username: usernameKey } = await add(store);
      let hashed = 0;
      const hash = async (): Promise<Secret> => {
        hashed += 1;
        return Promise.resolve(HASH);
      };

      assert.equal(await store.create(newUser({ usernameKey }), hash, until), undefined);
      assert.equal(hashed, 0);
    });

    it('adds nobody whose password was not hashed, and says why', async () => {
      const store = await create();
      const user = newUser();
      const error = new Error('too many passwords wait');

      await assert.rejects(
        store.create(user, () => Promise.reject(error), until),
        (thrown) => thrown === error,
      );

      assert.equal(await store.find(user.id, until), undefined);
      await untilAdded(store, newUser({ usernameKey: user.usernameKey }));
    });

    it('changes what is named, and nothing else', async () => {
      const store = await create();
      const before = await add(store, {
        email: 'a@example.com',
        displayName: 'A',
        roles: ['admin'],
      });
      let expected = shown(before)!;
      const expectAfter = async (change: StoredChange, members: object): Promise<void> => {
        const user = await changed(store, before.id, change);
        assert.ok(user.updatedAt >= expected.updatedAt);
        expected = { ...expected, ...members, updatedAt: user.updatedAt };
        assert.deepEqual(shown(user), expected);
        assert.deepEqual(shown(await store.find(before.id, until)), expected);
      };

      await expectAfter({ email: 'b@example.com' }, { email: 'b@example.com' });
      await expectAfter({ displayName: null, email: null }, { displayName: null, email: null });
      await expectAfter({ displayName: undefined, roles: [] }, { roles: [] });
      await expectAfter(
        { roles: ['x', 'y'], isDisabled: true },
        { roles: ['x', 'y'], isDisabled: true },
      );
      await expectAfter({ isDisabled: false }, { isDisabled: false });
      await expectAfter(
        { password: { hash: OTHER_HASH, version: 2 }, ifPasswordVersion: 1 },
        { passwordHash: OTHER_HASH.reveal(), passwordVersion: 2 },
      );
    });

    it('notes when a user was changed', async () => {
      const store = await create();
      const user = await add(store);
      await delay(PAUSE_MS);

      const { createdAt, updatedAt } = await changed(store, user.id, { displayName: 'A' });

      assert.deepEqual(createdAt, user.createdAt);
      assert.ok(updatedAt > user.updatedAt);
    });

    it('lets one of many change a password, whose version they all had verified', async () => {
      const store = await create();
      const { id } = await add(store);
      const hashes = Array.from({ length: AT_ONCE }, (_, index) => new Secret(`$hash$${index}`));

      const results = await Promise.all(
        hashes.map(async (hash) =>
          store.change(id, { password: { hash, version: 2 }, ifPasswordVersion: 1 }, until),
        ),
      );

      const winners = hashes.filter((_, index) => results[index]!.outcome === 'changed');
      assert.equal(winners.length, 1);
      assert.ok(results.every(({ outcome }) => outcome === 'changed' || outcome === 'outdated'));
      const user = await store.find(id, until);
      assert.equal(user?.passwordHash.reveal(), winners[0]!.reveal());
    });

    it('keeps all of many changes that come at once', async () => {
      const store = await create();
      const { id } = await add(store);

      await Promise.all([
        changed(store, id, { email: 'a@example.com' }),
        changed(store, id, { displayName: 'A' }),
        changed(store, id, { roles: ['admin'] }),
        changed(store, id, { isDisabled: true }),
      ]);

      const user = await store.find(id, until);
      assert.deepEqual(
        [user?.email, user?.displayName, user?.roles, user?.isDisabled],
        ['a@example.com', 'A', ['admin'], true],
      );
    });

    it('renews the hash that was verified, and no other', async () => {
      const store = await create();
      const user = await add(store);

      await store.renewHash(user.id, OTHER_HASH, new Secret('$hash$wrong'), until);
      assert.deepEqual(shown(await store.find(user.id, until)), shown(user));

      await store.renewHash(user.id, HASH, OTHER_HASH, until);
      assert.deepEqual(shown(await store.find(user.id, until)), {
        ...shown(user),
        passwordHash: OTHER_HASH.reveal(),
      });
    });

    it('deletes for good, and the name is free again', async () => {
      const store = await create();
      const user = await add(store);

      assert.equal(await store.delete(user.id, 2, until), false);
      assert.deepEqual(shown(await store.find(user.id, until)), shown(user));
      assert.equal(await store.delete(user.id, 1, until), true);

      assert.equal(await store.find(user.id, until), undefined);
      assert.equal(await store.findByUsername(user.username, until), undefined);
      const again = await untilAdded(store, newUser({ usernameKey: user.username }));
      assert.notEqual(again.id, user.id);
    });

    it('deletes whatever the password is, if none was asked for, and nobody who is not there', async () => {
      const store = await create();
      const { id } = await add(store);

      assert.equal(await store.delete(id, undefined, until), true);
      assert.equal(await store.delete(randomUUID(), undefined, until), false);
      assert.equal(await store.find(id, until), undefined);
    });

    it('brings nobody back by a change that comes late', async () => {
      const store = await create();
      const { id, username } = await add(store);
      await store.delete(id, undefined, until);

      const { outcome } = await store.change(id, { displayName: 'A' }, until);
      await store.renewHash(id, HASH, OTHER_HASH, until);

      assert.equal(outcome, 'unknown');
      assert.equal(await store.find(id, until), undefined);
      assert.equal(await store.findByUsername(username, until), undefined);
    });
  });
}

async function untilAdded(store: UserStore, user: NewUser): Promise<UserRecord> {
  for (const begin = Date.now(); Date.now() < begin + LONGEST_UNTIL_FREE_MS;) {
    const added = await store.create(user, () => Promise.resolve(HASH), until);
    if (added) {
      return added;
    }
    await delay(PAUSE_MS);
  }
  throw new assert.AssertionError({ message: 'the name does not become free' });
}
