import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import {
  canonicalUsername,
  type ListedUser,
  type NewUser,
  type UserDirectory,
  type UserQuery,
  type UserRecord,
  type UserStore,
} from '../users/index.js';
import type { TestRunner } from './test-runner.js';
import { add, changed, newUser, until, untilAdded } from './user-store-samples.js';

export interface UserDirectorySubject {
  readonly directory: UserDirectory;
  /** Adds, changes and deletes the users that the directory lists. There may be other users. */
  readonly store: UserStore;
}

const CONCURRENT_CALLS = 20;

/** The tests that every `UserDirectory` must pass. Call it in the tests of yours: `userDirectoryContract({ describe, it }, …)`. */
export function userDirectoryContract(
  { describe, it }: TestRunner,
  create: () => UserDirectorySubject | Promise<UserDirectorySubject>,
): void {
  describe('as a directory of users', () => {
    for (const limit of [1, 2, 100]) {
      it(`lists each user once in the order of the names, in pages of ${limit}`, async () => {
        const { directory, store } = await create();
        const own = ownPrefix();
        const names = ['zoë', 'Ada', 'ada-2', '张伟', 'BEN', 'émile', '𝒜lan'].map(
          (name) => own + name,
        );
        await Promise.all(names.map(async (name) => add(store, named(name))));

        const listed = await namesOf(directory, { prefix: own }, limit);

        const expected = ['Ada', 'ada-2', '𝒜lan', 'BEN', 'zoë', 'émile', '张伟'];
        assert.deepEqual(
          listed,
          expected.map((name) => own + name),
        );
      });
    }

    it('lists every user without a condition', async () => {
      const { directory, store } = await create();
      const users = await Promise.all([add(store), add(store), add(store)]);

      const listed = (await listAll(directory, {}, 100)).map(({ id }) => id);

      assert.equal(new Set(listed).size, listed.length, 'a user was listed twice');
      users.forEach(({ id }) => assert.ok(listed.includes(id), 'a user is missing'));
    });

    it('lists all members of a user except the password', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const given = { email: `${own}@example.com`, displayName: 'Ada', roles: ['x', 'y'] };
      const user = await add(store, { ...named(`${own}ada`), ...given });

      const [listed, ...others] = await listAll(directory, { prefix: own }, 10);

      assert.equal(others.length, 0);
      assert.deepEqual(shown(listed!), shown(user));
    });

    it('finds the beginning of a name or an address in any case, names first, and each user once', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      await add(store, { ...named(`${own}ada`), email: `${own}ada@example.com` });
      await add(store, { ...named(`${own}Adam`), email: `first-${own}@example.com` });
      await add(store, { ...named(`x-${own}`), email: `${own.toUpperCase()}ADELE@example.com` });
      await add(store, { ...named(`${own}cy`), email: `${own}cy@example.com` });

      for (const limit of [1, 100]) {
        assert.deepEqual(await namesOf(directory, { prefix: `${own}AD` }, limit), [
          `${own}ada`,
          `${own}Adam`,
          `x-${own}`,
        ]);
      }
      assert.deepEqual(await namesOf(directory, { prefix: `${own}adele@` }), [`x-${own}`]);
      assert.deepEqual(await namesOf(directory, { prefix: `dele${own}` }), []);
    });

    it('takes every character of a prefix literally', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      await add(store, named(`${own}ada`));

      for (const prefix of [
        '%',
        '_',
        `${own}%`,
        `${own}_da`,
        `${own}.*`,
        `${own}\\`,
        `${own}'`,
        '*',
      ]) {
        const listed = await namesOf(directory, { prefix });
        assert.ok(!listed.includes(`${own}ada`), `it is found by ${prefix}`);
      }
    });

    it('lists only users who meet all conditions', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const role = `role-${own}`;
      const [ada, ben, cy] = await Promise.all(
        ['ada', 'ben', 'cy'].map(async (name) => add(store, named(own + name))),
      );
      await changed(store, ada!.id, { roles: ['other', role] });
      await changed(store, ben!.id, { roles: [role], isDisabled: true });
      await changed(store, cy!.id, { isDisabled: true });

      const list = async (query: UserQuery): Promise<string[]> =>
        (await namesOf(directory, query, 1)).map((name) => name.replace(own, ''));
      assert.deepEqual(await list({ role }), ['ada', 'ben']);
      assert.deepEqual(await list({ role, isDisabled: true }), ['ben']);
      assert.deepEqual(await list({ role, isDisabled: false }), ['ada']);
      assert.deepEqual(await list({ prefix: own, isDisabled: true }), ['ben', 'cy']);
      assert.deepEqual(await list({ prefix: `${own}c`, role }), []);
      assert.deepEqual(await list({ role: role.toUpperCase() }), []);
    });

    it('lists users as they are when a change returns', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const role = `role-${own}`;
      const { id } = await add(store, { ...named(`x-${own}`), email: `${own}old@example.com` });

      await changed(store, id, { email: `${own}new@example.com`, roles: [role], isDisabled: true });
      assert.deepEqual(await namesOf(directory, { prefix: `${own}old` }), []);
      assert.deepEqual(await namesOf(directory, { prefix: `${own}new`, isDisabled: true }), [
        `x-${own}`,
      ]);
      assert.deepEqual(await namesOf(directory, { role, isDisabled: true }), [`x-${own}`]);

      await changed(store, id, { email: null, roles: [], isDisabled: false });
      assert.deepEqual(await namesOf(directory, { prefix: `${own}new` }), []);
      assert.deepEqual(await namesOf(directory, { role }), []);
      assert.deepEqual(await namesOf(directory, { prefix: `x-${own}`, isDisabled: true }), []);
      assert.deepEqual(await namesOf(directory, { prefix: `x-${own}` }), [`x-${own}`]);
    });

    it('does not list deleted users', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const user = await add(store, { ...named(`${own}ada`), email: `${own}@example.com` });

      assert.equal(await store.delete(user.id, user.revision, until), true);

      assert.deepEqual(await namesOf(directory, { prefix: own }), []);
    });

    it('lists users who stay exactly once while others come and go', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const staying = ['b', 'd', 'f', 'h', 'j'].map((name) => own + name);
      await Promise.all(staying.map(async (name) => add(store, named(name))));

      const listed: string[] = [];
      let guest: UserRecord | undefined;
      for await (const { username } of listing(directory, { prefix: own }, 1)) {
        listed.push(username);
        if (guest) {
          await store.delete(guest.id, guest.revision, until);
          guest = undefined;
        } else {
          guest = await untilAdded(store, newUser(named(`${own}e-guest`)));
        }
      }

      assert.deepEqual(
        listed.filter((name) => staying.includes(name)),
        staying,
      );
    });

    it('lists every user after concurrent registrations and changes', async () => {
      const { directory, store } = await create();
      const own = ownPrefix();
      const names = Array.from({ length: CONCURRENT_CALLS }, (_, index) => `${own}${index}-x`);

      await Promise.all(
        names.map(async (name) => {
          const { id } = await add(store, named(name));
          await Promise.all([
            changed(store, id, { email: `${name}@example.com` }),
            changed(store, id, { roles: [`role-${own}`] }),
          ]);
        }),
      );

      const expected = [...names].sort();
      assert.deepEqual(await namesOf(directory, { prefix: own }, 7), expected);
      assert.deepEqual(await namesOf(directory, { role: `role-${own}` }, 7), expected);
      for (const name of names) {
        assert.deepEqual(await namesOf(directory, { prefix: `${name}@` }), [name]);
      }
    });

    it('refuses a cursor that is not from this directory', async () => {
      const { directory } = await create();

      for (const cursor of ['x', 'made up', '0', '-1', 'null', "'", '%', 'e30', 'A'.repeat(2000)]) {
        const page = await directory.list({}, cursor, 10, until);
        assert.equal(page, undefined, `it accepts ${cursor.slice(0, 20)}`);
      }
    });
  });
}

/** Begins the names of one test. It has only letters, because digits may look like letters. */
function ownPrefix(): string {
  return randomUUID()
    .slice(0, 8)
    .replace(/\d/g, (digit) => 'ghikmnpqrs'[Number(digit)]!);
}

function named(username: string): Partial<NewUser> {
  return { username, usernameKey: canonicalUsername(username) };
}

async function* listing(
  directory: UserDirectory,
  query: UserQuery,
  limit: number,
): AsyncGenerator<ListedUser> {
  let after: string | undefined;
  do {
    const page = await directory.list(query, after, limit, until);
    assert.ok(page, 'the directory does not know its own cursor');
    assert.ok(page.users.length <= limit, 'a page has too many users');
    yield* page.users;
    after = page.next;
  } while (after !== undefined);
}

async function listAll(
  directory: UserDirectory,
  query: UserQuery,
  limit: number,
): Promise<ListedUser[]> {
  const users: ListedUser[] = [];
  for await (const user of listing(directory, query, limit)) {
    users.push(user);
  }
  return users;
}

async function namesOf(directory: UserDirectory, query: UserQuery, limit = 100): Promise<string[]> {
  return (await listAll(directory, query, limit)).map(({ username }) => username);
}

function shown({ id, username, email, displayName, roles, ...others }: ListedUser): object {
  const { createdAt, updatedAt, isDisabled } = others;
  return { id, username, email, displayName, roles: [...roles], createdAt, updatedAt, isDisabled };
}
