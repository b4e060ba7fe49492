import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Secret } from '../common/secret/index.js';
import type { StoredChange, UserStore } from '../users/index.js';
import type { TestRunner } from './test-runner.js';
import {
  accented,
  add,
  changed,
  HASH,
  newUser,
  OTHER_HASH,
  PAUSE_MS,
  shown,
  until,
  untilAdded,
} from './user-store-samples.js';

const CONCURRENT_CALLS = 20;

/** The tests that every `UserStore` must pass. Call it in the tests of yours: `userStoreContract({ describe, it }, …)`. */
export function userStoreContract(
  { describe, it }: TestRunner,
  create: () => UserStore | Promise<UserStore>,
): void {
  describe('as a store of users', () => {
    it('finds an added user by id and by the key of the name', async () => {
      const store = await create();
      const before = Date.now() - 2000;
      const id = randomUUID();
      const user = newUser({
        id,
        username: `${id.slice(0, 8)}${'𝒜'.repeat(56)}`,
        usernameKey: `${id.slice(0, 8)}${'é陈'.repeat(96)}`,
        email: 'ada@example.com',
        displayName: '"Ada"; \u2028 🌒 \'--',
        roles: ['admin', 'a role of your own'],
      });

      let hashed = 0;
      const hash = async (): Promise<Secret> => {
        hashed += 1;
        return Promise.resolve(HASH);
      };

      const added = await store.create(user, hash, until);

      assert.equal(hashed, 1);
      assert.ok(added);
      assert.ok(
        added.createdAt.getTime() >= before && added.createdAt.getTime() <= Date.now() + 2000,
      );
      const { usernameKey, ...members } = user;
      const expected = {
        ...members,
        createdAt: added.createdAt,
        updatedAt: added.createdAt,
        isDisabled: false,
        passwordVersion: 1,
        passwordHash: HASH.reveal(),
      };
      assert.deepEqual(shown(added), expected);
      assert.deepEqual(shown(await store.find(id, until)), expected);
      assert.deepEqual(shown(await store.findByUsername(usernameKey, until)), expected);
    });

    it('finds no user for unknown ids and similar names', async () => {
      const store = await create();
      const { username } = await add(store, accented());

      assert.equal(await store.find(randomUUID(), until), undefined);
      const alike = [
        username.toUpperCase(),
        `${username} `,
        username.slice(1),
        '',
        '%',
        '*',
        username.replace('ä', 'a'),
        username.normalize('NFD'),
      ];
      for (const key of alike) {
        assert.equal(await store.findByUsername(key, until), undefined, `'${key}' is found`);
      }
    });

    it('gives a name to exactly one of many concurrent callers', async () => {
      const store = await create();
      const usernameKey = `wanted-${randomUUID()}`;

      const added = await Promise.all(
        Array.from({ length: CONCURRENT_CALLS }, async () =>
          store.create(newUser({ usernameKey }), () => Promise.resolve(HASH), until),
        ),
      );

      const winners = added.filter((user) => user !== undefined);
      assert.equal(winners.length, 1);
      assert.equal((await store.findByUsername(usernameKey, until))?.id, winners[0]!.id);
    });

    it('does not hash the password for a name that is taken', async () => {
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

    it('adds no user when hashing fails, and throws the error of the hash function', async () => {
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

    it('changes the given fields, and no others', async () => {
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
      const password = { hash: OTHER_HASH, version: 7 };

      await expectAfter({ email: 'b@example.com' }, { email: 'b@example.com' });
      await expectAfter({ email: null }, { email: null });
      await expectAfter({ displayName: null }, { displayName: null });
      await expectAfter({ displayName: undefined, roles: [] }, { roles: [] });
      await expectAfter(
        { roles: ['x', 'y'], isDisabled: true },
        { roles: ['x', 'y'], isDisabled: true },
      );
      await expectAfter({ password }, { passwordHash: OTHER_HASH.reveal(), passwordVersion: 7 });
      await expectAfter({ isDisabled: false }, { isDisabled: false });
    });

    it('neither changes nor deletes a user whose revision has changed', async () => {
      const store = await create();
      const user = await add(store);
      const newer = await changed(store, user.id, { displayName: 'A' });

      assert.notEqual(newer.revision, user.revision);
      const late = { email: 'late@example.com', roles: ['late'], isDisabled: true };
      assert.equal(await store.change(user.id, late, user.revision, until), undefined);
      assert.equal(await store.delete(user.id, user.revision, until), false);
      assert.deepEqual(shown(await store.find(user.id, until)), shown(newer));
    });

    it('records when a user was changed', async () => {
      const store = await create();
      const user = await add(store);
      await delay(PAUSE_MS);

      const { createdAt, updatedAt } = await changed(store, user.id, { displayName: 'A' });

      assert.deepEqual(createdAt, user.createdAt);
      assert.ok(updatedAt > user.updatedAt);
    });

    // Recording it is optional. Without it, a password change that was not confirmed cannot be repeated.
    it('records only password changes as such, or none at all', async () => {
      const store = await create();
      const { id, passwordChangedAt: before } = await add(store);
      const password = { hash: HASH, version: 2 };
      const { updatedAt, passwordChangedAt } = await changed(store, id, { password });
      assert.equal(before, undefined, 'the password of a new user was never changed');
      assert.ok(
        passwordChangedAt === undefined || passwordChangedAt.getTime() === updatedAt.getTime(),
        'passwordChangedAt differs from updatedAt',
      );
      await delay(PAUSE_MS);

      const user = await changed(store, id, { displayName: 'A', email: null, isDisabled: true });
      await store.renewHash(id, HASH, OTHER_HASH, until);

      assert.deepEqual(user.passwordChangedAt, passwordChangedAt);
      assert.deepEqual((await store.find(id, until))?.passwordChangedAt, passwordChangedAt);
    });

    it('lets exactly one of many concurrent changes of the same revision succeed', async () => {
      const store = await create();
      const { id, revision } = await add(store);
      const hashes = Array.from(
        { length: CONCURRENT_CALLS },
        (_, index) => new Secret(`$hash$${index}`),
      );

      const results = await Promise.all(
        hashes.map(async (hash) =>
          store.change(id, { password: { hash, version: 2 } }, revision, until),
        ),
      );

      const winners = hashes.filter((_, index) => results[index] !== undefined);
      assert.equal(winners.length, 1);
      const user = await store.find(id, until);
      assert.equal(user?.passwordHash.reveal(), winners[0]!.reveal());
    });

    it('lets either a change or a concurrent deletion succeed, never both', async () => {
      const store = await create();

      for (let round = 0; round < CONCURRENT_CALLS; round += 1) {
        const { id, revision } = await add(store);
        const [changed, isDeleted] = await Promise.all([
          store.change(id, { displayName: 'A' }, revision, until),
          store.delete(id, revision, until),
        ]);
        assert.equal(changed === undefined, isDeleted, 'both succeeded, or neither');
        assert.equal((await store.find(id, until)) === undefined, isDeleted);
      }
    });

    it('does not overwrite a new password with a concurrently renewed hash', async () => {
      const store = await create();

      const renewed = new Secret('$hash$renewed');
      for (let round = 0; round < CONCURRENT_CALLS; round += 1) {
        const { id, revision } = await add(store);
        const [, winner] = await Promise.all([
          store.renewHash(id, HASH, renewed, until),
          store.change(id, { password: { hash: OTHER_HASH, version: 2 } }, revision, until),
        ]);
        // The change may fail, if the store counts a renewed hash as a new revision.
        const expected = winner
          ? { version: 2, hash: OTHER_HASH.reveal() }
          : { version: 1, hash: renewed.reveal() };
        const user = await store.find(id, until);
        assert.deepEqual(
          { version: user?.passwordVersion, hash: user?.passwordHash.reveal() },
          expected,
        );
      }
    });

    it('keeps all of many concurrent changes that are retried on conflict', async () => {
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

    it('renews only the hash that was verified', async () => {
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

    it('deletes a user and releases the name', async () => {
      const store = await create();
      const user = await add(store);

      assert.equal(await store.delete(user.id, user.revision, until), true);

      assert.equal(await store.find(user.id, until), undefined);
      assert.equal(await store.findByUsername(user.username, until), undefined);
      const again = await untilAdded(store, newUser({ usernameKey: user.username }));
      assert.notEqual(again.id, user.id);
    });

    it('deletes no unknown user, and no late write restores a deleted one', async () => {
      const store = await create();
      const { id, username, revision } = await add(store);
      await store.delete(id, revision, until);

      assert.equal(await store.delete(randomUUID(), revision, until), false);
      assert.equal(await store.change(id, { displayName: 'A' }, revision, until), undefined);
      await store.renewHash(id, HASH, OTHER_HASH, until);

      assert.equal(await store.find(id, until), undefined);
      assert.equal(await store.findByUsername(username, until), undefined);
    });
  });
}
