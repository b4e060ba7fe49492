import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import type { NewUser } from '../../src/users/index.js';
import { DirectoryCheck } from '../../src/users/directory/directory-check.js';
import type { UserQuery } from '../../src/users/directory/user-directory.js';
import { canonicalUsername } from '../../src/users/names/username.js';
import { FakeClock } from '../support/fake-clock.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { usersOn, type TestUsers } from '../support/users.js';

const LEFT = 'e:left@example.com';
const WITHIN_MS = 10_000;
const ALL = { filters: ['all'], keys: [] };
const hash = async (): Promise<Secret> => Promise.resolve(new Secret('hash'));

describe('the directory of users', () => {
  let prefix: string;
  let instance: CacheInstance;
  let on: TestUsers;
  beforeEach(async () => {
    prefix = newPrefix();
    instance = await startCacheInstance(prefix);
    on = usersOn(instance);
  });
  afterEach(async () => instance.close());

  const newUser = (username: string, email: string | null = null): NewUser => ({
    id: randomUUID(),
    username,
    usernameKey: canonicalUsername(username),
    email,
    displayName: null,
    roles: [],
  });
  const create = async (username: string, email?: string): Promise<string> => {
    const user = await on.accounts.create(newUser(username, email), hash, Deadline.none);
    return user!.id;
  };
  const namesOf = async (query: UserQuery, limit = 100): Promise<string[]> => {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await on.directory.list(query, after, limit, Deadline.none);
      names.push(...page!.users.map(({ username }) => username));
      after = page!.next;
    } while (after !== undefined);
    return names;
  };
  const checkAfterAMinute = async (id: string): Promise<void> => {
    const key = instance.redis.keys.key(['user-directory', id.slice(-1)], 'due');
    await withRedis(async (_, cluster) => cluster.zadd(key, 1, id));
    await on.check.check(id.slice(-1));
  };
  const stored = async (): Promise<string> => JSON.stringify(await dumpKeys(prefix));

  it.each([1, 2, 3, 100])('lists each user once, in pages of %d', async (limit) => {
    const names = ['Zoë', 'ada', 'Ben', '张伟', 'émile', 'ben2', 'a'];
    await Promise.all(names.map(async (name) => create(name)));

    const expected = ['a', 'ada', 'Ben', 'ben2', 'Zoë', 'émile', '张伟'];
    expect(await namesOf({}, limit)).toEqual(expected);
  });

  it('finds the beginning of a name or an address, in any case, and each user once', async () => {
    await create('ada', 'ada@example.com');
    await create('Adam', 'first@example.com');
    await create('ben', 'ADELE@example.com');
    await create('cy', 'cy@example.com');

    expect(await namesOf({ prefix: 'AD' }, 1)).toEqual(['ada', 'Adam', 'ben']);
    expect(await namesOf({ prefix: 'adele@EXAMPLE.com' })).toEqual(['ben']);
    expect(await namesOf({ prefix: 'example' })).toEqual([]);
    // These fold to nothing.
    expect(await namesOf({ prefix: '\u200b' })).toEqual([]);
    expect(await namesOf({ prefix: '😀'.repeat(200) })).toEqual([]);
  });

  it('reads in batches, also if most users do not meet the conditions', async () => {
    for (let user = 0; user < 60; user += 1) {
      await create(`ad-${user}`, user % 20 === 0 ? undefined : `ad-${user}@example.com`);
    }
    await create('ben', 'ad@example.com');
    const list = jest.spyOn(on.index, 'list');

    const page = await on.directory.list({ prefix: 'ad' }, undefined, 61, Deadline.none);

    expect(page).toMatchObject({ next: undefined });
    expect(page!.users).toHaveLength(61);
    expect(list).toHaveBeenCalledTimes(2);
  });

  it('has no address in a cursor that its user does not have any more', async () => {
    for (let user = 0; user < 3; user += 1) {
      await create(`user-${user}`, `ad-${user}5@example.com`);
    }
    // More in a row than a page reads.
    for (let left = 0; left < 40; left += 1) {
      const keys = [`e:ad-${left < 20 ? 0 : 1}${String(left).padStart(2, '0')}@left.example`];
      await on.index.begin(newUser('left').id, 'a change', { ...ALL, keys }, Deadline.none);
    }

    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await on.directory.list({ prefix: 'ad-' }, after, 1, Deadline.none);
      expect(Buffer.from(page!.next ?? '', 'base64url').toString()).not.toContain('left');
      expect(page!.next).not.toBe(after);
      names.push(...page!.users.map(({ username }) => username));
      after = page!.next;
    } while (after !== undefined);
    expect(names).toEqual(['user-0', 'user-1', 'user-2']);
  });

  it('reads a limited number of users for a page that finds none', async () => {
    for (let user = 0; user < 25; user += 1) {
      const id = await create(`user-${String(user).padStart(2, '0')}`);
      await on.accounts.update(id, { isDisabled: true }, Deadline.none);
    }
    await create('zoe');
    const find = jest.spyOn(on.reader, 'findProfile');

    const page = await on.directory.list({ isDisabled: false }, undefined, 1, Deadline.none);

    expect(page).toEqual({ users: [], next: expect.any(String) as unknown });
    expect(find).toHaveBeenCalledTimes(10);
    expect(await namesOf({ isDisabled: false }, 1)).toEqual(['zoe']);
  });

  it('follows roles, the disabled state and addresses at once', async () => {
    const id = await create('ada', 'old@example.com');
    await create('ben', 'ben@example.com');
    const update = async (change: Parameters<typeof on.accounts.update>[1]): Promise<void> => {
      expect(await on.accounts.update(id, change, Deadline.none)).toMatchObject({
        outcome: 'changed',
      });
    };

    await update({ roles: ['support'] });
    expect(await namesOf({ role: 'support' })).toEqual(['ada']);
    await update({ isDisabled: true });
    expect(await namesOf({ isDisabled: true })).toEqual(['ada']);
    expect(await namesOf({ isDisabled: false })).toEqual(['ben']);
    expect(await namesOf({ role: 'support', isDisabled: false })).toEqual([]);
    await update({ email: 'new@example.com', roles: [], isDisabled: false });
    expect(await namesOf({ role: 'support' })).toEqual([]);
    expect(await namesOf({ isDisabled: true })).toEqual([]);
    expect(await namesOf({ prefix: 'old@' })).toEqual([]);
    expect(await namesOf({ prefix: 'new@' })).toEqual(['ada']);
  });

  it('keeps nothing of a deleted user, of a refused registration and of former addresses', async () => {
    const id = await create('ada', 'former@example.com');
    await on.accounts.update(id, { email: 'present@example.com' }, Deadline.none);
    expect(
      await on.accounts.create(newUser('ada', 'refused@example.com'), hash, Deadline.none),
    ).toBe(undefined);
    const deleted = await create('ben', 'deleted@example.com');
    await on.accounts.remove(deleted, {}, Deadline.none);

    await eventually('nothing is left over', WITHIN_MS, async () => {
      const text = await stored();
      expect(text).toContain('e:present@example.com');
      return !/e:(former|refused|deleted)@/.test(text);
    });
  });

  describe('after a crash', () => {
    it('before the user is written lists nobody', async () => {
      const user = newUser('ada');
      await on.index.begin(user.id, 'a change', { ...ALL, keys: ['n:ada'] }, Deadline.none);

      expect(await namesOf({})).toEqual([]);
      expect(await namesOf({ prefix: 'ada' })).toEqual([]);
    });

    it('after the user is written lists the user', async () => {
      const user = newUser('ada');
      await on.index.begin(user.id, 'a change', { ...ALL, keys: ['n:ada'] }, Deadline.none);
      await on.redisStore.create(user, hash, Deadline.none);

      expect(await namesOf({})).toEqual(['ada']);
    });

    it('before a change finds the user by the present address only', async () => {
      const id = await create('ada', 'present@example.com');
      await on.index.begin(id, 'a change', { ...ALL, keys: ['e:next@example.com'] }, Deadline.none);

      expect(await namesOf({ prefix: 'next@' })).toEqual([]);
      expect(await namesOf({ prefix: 'present@' })).toEqual(['ada']);
    });

    it('does not remove a term while its change may be in progress', async () => {
      const id = await create('ada');
      const terms = { ...ALL, keys: ['e:next@example.com'] };
      await on.index.begin(id, 'a change', terms, Deadline.none);

      await on.directory.correct(id, Deadline.none);
      await on.redisStore.update(id, { email: 'next@example.com' }, Deadline.none);

      expect(await namesOf({ prefix: 'next@' })).toEqual(['ada']);
    });

    it.each<[string, () => Promise<string>]>([
      [
        'a registration',
        async () => {
          const { id } = newUser('ada');
          await on.index.begin(id, 'a change', { ...ALL, keys: [LEFT] }, Deadline.none);
          return id;
        },
      ],
      [
        'a change',
        async () => {
          const id = await create('ada');
          await on.index.begin(id, 'a change', { ...ALL, keys: [LEFT] }, Deadline.none);
          return id;
        },
      ],
      [
        'a deletion',
        async () => {
          const id = await create('ada', 'left@example.com');
          await on.index.begin(id, 'a change', { filters: [], keys: [] }, Deadline.none);
          await on.redisStore.remove(id, {}, Deadline.none);
          return id;
        },
      ],
    ])('during %s removes what is left over when the entry is due', async (_, crash) => {
      const id = await crash();
      await on.index.end(id, 'a change', false, Deadline.none);
      expect(await stored()).toContain(LEFT);

      await checkAfterAMinute(id);

      expect(await stored()).not.toContain(LEFT);
    });
  });

  it('corrects the other due entries if one of them cannot be corrected', async () => {
    const ids = ['0', '1'].map((digit) => newUser('ada').id.replace(/..$/, `${digit}a`));
    for (const id of ids) {
      await on.index.begin(
        id,
        'a change',
        { ...ALL, keys: [`e:${id}@example.com`] },
        Deadline.none,
      );
      await on.index.end(id, 'a change', false, Deadline.none);
    }
    const key = instance.redis.keys.key(['user-directory', 'a'], 'due');
    await withRedis(async (_, cluster) => cluster.zadd(key, 1, ids[0]!, 2, ids[1]!));
    const correct = on.directory.correct.bind(on.directory);
    jest
      .spyOn(on.directory, 'correct')
      .mockImplementation(async (id, deadline) =>
        id === ids[0] ? Promise.reject(new Error('its shard is away')) : correct(id, deadline),
      );

    await on.check.check('a');

    const text = await stored();
    expect(text).toContain(`e:${ids[0]}@`);
    expect(text).not.toContain(`e:${ids[1]}@`);
  });

  it.each([true, false])('is corrected by an instance, not by a command: %s', (doesDueWork) => {
    const clock = new FakeClock();
    const options = { isRegistrationOpen: true, doesDueWork };
    const check = new DirectoryCheck(on.index, on.directory, clock, options);

    check.onApplicationBootstrap();

    expect(clock.isAwaited).toBe(doesDueWork);
    check.beforeApplicationShutdown();
  });

  it('keeps what a change notes after the entry was read and before it is corrected', async () => {
    const id = await create('ada', 'old@example.com');
    const read = on.reader.confirmProfile.bind(on.reader);
    jest.spyOn(on.reader, 'confirmProfile').mockImplementationOnce(async (...args) => {
      const before = await read(...args);
      await on.accounts.update(id, { email: 'new@example.com' }, Deadline.none);
      return before;
    });

    await on.directory.correct(id, Deadline.none);

    expect(await namesOf({ prefix: 'new@' })).toEqual(['ada']);
  });

  it('does not keep a user who is deleted while the entry is corrected', async () => {
    const id = await create('ada', 'left@example.com');
    const read = on.reader.confirmProfile.bind(on.reader);
    jest.spyOn(on.reader, 'confirmProfile').mockImplementationOnce(async (...args) => {
      const before = await read(...args);
      await on.accounts.remove(id, {}, Deadline.none);
      const isGone = async (): Promise<boolean> => !(await stored()).includes(LEFT);
      await eventually('the entry is gone', WITHIN_MS, isGone);
      return before;
    });
    await on.directory.correct(id, Deadline.none);

    await checkAfterAMinute(id);

    expect(await stored()).not.toContain(LEFT);
  });

  it('agrees with the record after concurrent changes of one user', async () => {
    const id = await create('ada');
    const addresses = Array.from({ length: 20 }, (_, index) => `a${index}@example.com`);
    await Promise.all(
      addresses.map(async (email, index) =>
        on.accounts.update(
          id,
          { email, roles: [`role-${index}`], isDisabled: index % 2 === 0 },
          Deadline.none,
        ),
      ),
    );

    const { email, roles, isDisabled } = (await on.reader.find(id, Deadline.none))!;
    expect(await namesOf({ prefix: email! })).toEqual(['ada']);
    expect(await namesOf({ role: roles[0]!, isDisabled })).toEqual(['ada']);
    await eventually('only the last address is left', WITHIN_MS, async () => {
      const found = new Set((await stored()).match(/e:a\d+@example\.com/g));
      return [...found].join() === `e:${email}`;
    });
  });

  it('keeps nothing of a registration that fails', async () => {
    const failing = async (): Promise<Secret> => Promise.reject(new Error('no hash'));
    const prevent = jest.spyOn(on.writer, 'prevent');
    await expect(
      on.accounts.create(newUser('ada', 'failed@example.com'), failing, Deadline.none),
    ).rejects.toThrow('no hash');

    await eventually('nothing is left over', WITHIN_MS, async () => {
      const { keys } = await dumpKeys(prefix);
      return !keys.some((key) => key.endsWith(':terms'));
    });
    // The record cannot arrive late.
    expect(prevent).not.toHaveBeenCalled();
  });

  it('keeps entries small, and the terms of all changes that may be in progress', async () => {
    const id = await create('ada', 'ada@example.com');
    const next = Array.from({ length: 120 }, (_, index) => `e:next-${index % 3}@example.com`);
    for (const [index, key] of next.entries()) {
      await on.index.begin(id, `change ${index}`, { ...ALL, keys: [key] }, Deadline.none);
    }
    const key = instance.redis.keys.key(['user-directory', id.slice(-1)], 'entries');
    const entry = await withRedis(async (_, cluster) => cluster.hget(key, id));
    expect(entry!.length).toBeLessThan(8000);

    for (const index of next.keys()) {
      await on.index.end(id, `change ${index}`, false, Deadline.none);
    }
    await on.directory.correct(id, Deadline.none);
    await on.redisStore.update(id, { email: 'next-1@example.com' }, Deadline.none);
    expect(await namesOf({ prefix: 'next-1@' })).toEqual(['ada']);
    expect(await namesOf({ prefix: 'next-2@' })).toEqual([]);
  });

  it('keeps nothing of a change that was not confirmed before it was made', async () => {
    const id = await create('ada');
    const begin = on.index.begin.bind(on.index);
    jest.spyOn(on.index, 'begin').mockImplementationOnce(async (...args) => {
      await begin(...args);
      throw new Error('not confirmed');
    });

    const update = on.accounts.update(id, { email: 'left@example.com' }, Deadline.none);

    await expect(update).rejects.toThrow('not confirmed');
    await eventually(
      'nothing is left over',
      WITHIN_MS,
      async () => !(await stored()).includes(LEFT),
    );
    expect(await namesOf({})).toEqual(['ada']);
  });

  it('has no entries of users who do not exist after a reindexing', async () => {
    const { id } = newUser('ada');
    await on.index.begin(id, 'a change', { ...ALL, keys: ['e:ada@example.com'] }, Deadline.none);
    await on.index.end(id, 'a change', false, Deadline.none);

    await on.directory.reindex([]);

    expect(await stored()).not.toContain('ada@example.com');
  });

  it('lists users whom the index does not know after a reindexing', async () => {
    const users = [newUser('ada', 'ada@example.com'), newUser('ben')];
    for (const user of users) {
      await on.redisStore.create(user, hash, Deadline.none);
    }
    expect(await namesOf({})).toEqual([]);

    await on.directory.reindex(users.map(({ id }) => id));

    expect(await namesOf({})).toEqual(['ada', 'ben']);
    expect(await namesOf({ prefix: 'ada@' })).toEqual(['ada']);
  });

  it.each(['', 'x', 'WzksbnVsbCxudWxsXQ', 'bnVsbA', 'e30', 'WzAsMSwyXQ', 'Wy0xLG51bGwsbnVsbF0'])(
    'refuses %j as a cursor',
    async (cursor) => {
      expect(await on.directory.list({}, cursor, 10, Deadline.none)).toBeUndefined();
    },
  );
});
