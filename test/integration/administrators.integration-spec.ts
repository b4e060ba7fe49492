import { randomUUID } from 'node:crypto';

import type { UserPrincipal } from '../../src/common/authentication/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { InMemoryUserStore } from '../../src/contracts/index.js';
import type { AdministrationCaller, UserRecord, UserStore } from '../../src/users/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { asUserStore } from '../support/user-stores.js';
import { usersOn, type TestUsers } from '../support/users.js';

const PASSWORD = new Secret('violet engines hum at dawn');
const until = Deadline.none;
const LONG_MS = 60_000;
/** Expires at once. */
const EXPIRED_MS = 0;

describe.each(['Redis', 'another store'])('administrators, kept in %s', (place) => {
  let instances: CacheInstance[];
  let services: TestUsers[];
  /** Writes without the registry, like an older version or a database client. */
  let store: UserStore;
  beforeEach(async () => {
    const prefix = newPrefix();
    instances = await Promise.all([startCacheInstance(prefix), startCacheInstance(prefix)]);
    const foreign = place === 'Redis' ? undefined : new InMemoryUserStore();
    services = instances.map((instance) => usersOn(instance, {}, foreign));
    store = foreign ?? asUserStore(services[0]!.redisStore);
  });
  afterEach(async () => {
    await Promise.all(instances.map(async (instance) => instance.close()));
  });

  const on = (index: number): TestUsers => services[index % services.length]!;
  const newAdministrator = async (): Promise<string> => {
    const registration = { username: `admin-${randomUUID()}`, password: PASSWORD };
    const made = await on(0).registrations.registerAdministrator(
      registration,
      Origin.system,
      until,
    );
    return (made as { user: { id: string } }).user.id;
  };
  const administrators = async (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, newAdministrator));
  /** Creates an administrator like an older version. */
  const oldAdministrator = async (): Promise<UserRecord> => {
    const name = `old-${randomUUID()}`;
    const user = { id: randomUUID(), username: name, usernameKey: name, roles: ['admin'] };
    const members = { ...user, email: null, displayName: null };
    return (await store.create(members, () => Promise.resolve(new Secret('hash')), until))!;
  };
  const actor = async (id: string): Promise<UserPrincipal> => ({
    kind: 'user',
    userId: id,
    sessionId: randomUUID(),
    tokenId: randomUUID(),
    user: (await store.find(id, until))!,
  });
  const isEnabledAdministrator = async (id: string): Promise<boolean> => {
    const user = await store.find(id, until);
    return user?.isDisabled === false && user.roles.includes('admin');
  };
  const remaining = async (ids: readonly string[]): Promise<string[]> => {
    const are = await Promise.all(ids.map(isEnabledAdministrator));
    return ids.filter((_, index) => are[index]);
  };

  type Removal = (
    index: number,
    by: AdministrationCaller,
    id: string,
  ) => Promise<{ readonly outcome: string }>;
  const demote: Removal = (index, by, id) =>
    on(index).administration.change(by, id, { roles: [] }, Origin.system, until);
  const disable: Removal = (index, by, id) =>
    on(index).administration.change(by, id, { disabled: true }, Origin.system, until);
  const remove: Removal = (index, by, id) =>
    on(index).administration.delete(by, id, Origin.system, until);
  const deleteOwn: Removal = (index, _, id) =>
    on(index).users.deleteOwn(
      { userId: id, user: { hasSecondFactor: false } },
      PASSWORD,
      Origin.system,
      until,
    );
  const any: Removal = (index, by, id) =>
    [demote, disable, remove, deleteOwn][index % 4]!(index, by, id);

  it.each([
    ['are demoted', demote],
    ['are disabled', disable],
    ['are deleted', remove],
    ['delete themselves', deleteOwn],
    ['lose the role in any way', any],
  ])(
    'keep exactly one of them when all %s concurrently, on two instances (104)',
    async (_, end) => {
      const ids = await administrators(6);

      const results = await Promise.all(ids.map((id, index) => end(index, 'system', id)));

      expect(await remaining(ids)).toHaveLength(1);
      const refused = results.filter(({ outcome }) => outcome === 'last-administrator');
      expect(refused).toHaveLength(1);
    },
  );

  it('keep exactly one of two who remove each other, with twenty concurrent calls (104)', async () => {
    for (const end of [demote, disable, remove]) {
      const ids = await administrators(2);
      const [one, two] = [await actor(ids[0]!), await actor(ids[1]!)];
      // Administrators of earlier rounds.
      for (const other of await remaining(previous)) {
        await demote(0, one, other);
      }
      previous.push(...ids);

      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? end(index / 2, one, two.userId) : end(index >> 1, two, one.userId),
        ),
      );

      expect(await remaining(ids)).toHaveLength(1);
    }
  });
  const previous: string[] = [];
  beforeEach(() => previous.splice(0));

  it.each([
    [{ roles: ['admin', 'not-yet-defined'] }, 'roles', 'unknown-item'],
    [{ email: 'not an address' }, 'email', 'not-an-email'],
    [{ displayName: ' ' }, 'displayName', 'too-short'],
  ])(
    'refuse the invalid change %j for every caller, and change nothing',
    async (change, member, code) => {
      const [id] = (await administrators(1)) as [string];
      const before = await store.find(id, until);

      for (const by of ['system', await actor(id)] as const) {
        expect(
          await on(0).administration.change(by, id, change, Origin.system, until),
        ).toMatchObject({
          outcome: 'refused',
          failures: { [member]: { code } },
        });
      }
      expect((await store.find(id, until))?.revision).toBe(before?.revision);
    },
  );

  it('confirm the address of a user, also a new one, and withdraw that', async () => {
    const [by, id] = (await administrators(2)) as [string, string];
    const change = async (values: object, actorId = by) =>
      on(0).administration.change(await actor(actorId), id, values, Origin.system, until);
    const addresses = async () => {
      const user = await store.find(id, until);
      return [user?.email, user?.verifiedEmail ?? null];
    };
    const withoutAddress = {
      outcome: 'refused',
      failures: { emailVerified: { code: 'no-email' } },
    };
    expect(await change({ emailVerified: true })).toMatchObject(withoutAddress);

    await change({ email: 'ada@example.com' });
    expect(await addresses()).toEqual(['ada@example.com', null]);
    expect(await change({ emailVerified: true }, id)).toEqual({
      outcome: 'reauthentication-required',
    });
    await change({ emailVerified: true });
    expect(await addresses()).toEqual(['ada@example.com', 'ada@example.com']);
    await change({ email: 'new@example.com', emailVerified: true });
    expect(await addresses()).toEqual(['new@example.com', 'new@example.com']);
    expect(await change({ email: null, emailVerified: true })).toMatchObject(withoutAddress);
    await change({ emailVerified: false });
    expect(await addresses()).toEqual(['new@example.com', null]);
  });

  it.each([
    ['demoted', demote],
    ['disabled', disable],
    ['deleted', remove],
    ['deleted by itself', deleteOwn],
  ])('keep the last one: it is not %s, and keeps its sessions', async (_, end) => {
    const [id, disabled] = (await administrators(2)) as [string, string];
    expect((await disable(0, 'system', disabled)).outcome).toBe('changed');
    const before = await store.find(id, until);

    expect(await end(0, 'system', id)).toEqual({ outcome: 'last-administrator' });

    expect((await store.find(id, until))?.revision).toBe(before?.revision);
    // Another administrator is enough, even if it was disabled before.
    const enabled = { disabled: false };
    await on(1).administration.change('system', disabled, enabled, Origin.system, until);
    expect((await end(0, 'system', id)).outcome).toMatch(/changed|deleted/);
    expect(await remaining([id, disabled])).toEqual([disabled]);
  });

  it('who are disabled can be removed, even if only one other is left', async () => {
    const [id, disabled, demoted] = (await administrators(3)) as [string, string, string];
    await disable(0, 'system', disabled);
    await demote(0, 'system', demoted);

    expect((await remove(0, 'system', disabled)).outcome).toBe('deleted');
    expect((await remove(1, 'system', demoted)).outcome).toBe('deleted');
    expect(await demote(1, 'system', id)).toEqual({ outcome: 'last-administrator' });
  });

  it('from an older version count as soon as they get tokens or request a removal', async () => {
    const [one, two] = [await oldAdministrator(), await oldAdministrator()];

    expect(await demote(0, 'system', one.id)).toEqual({ outcome: 'last-administrator' });
    expect((await demote(0, await actor(two.id), one.id)).outcome).toBe('changed');

    const three = await oldAdministrator();
    expect(await demote(0, 'system', two.id)).toEqual({ outcome: 'last-administrator' });
    await on(1).users.findCurrent(three.id, until);
    expect((await demote(0, 'system', two.id)).outcome).toBe('changed');
  });

  it('are registered once, for any number of tokens', async () => {
    const { id } = await oldAdministrator();
    const { registry, users } = on(0);
    const add = registry.add.bind(registry);
    let added = 0;
    registry.add = async (...args) => {
      added += 1;
      return add(...args);
    };

    for (let count = 0; count < 5; count += 1) {
      await users.findCurrent(id, until);
    }

    expect(added).toBe(1);
  });

  describe('after a crash of the process that removes one', () => {
    const reserve = async (userId: string, lifeMs: number): Promise<void> => {
      const token = randomUUID();
      const { free } = await on(0).registry.reserve({ userId, token, lifeMs }, until);
      expect(free.length).toBeGreaterThan(0);
    };
    /** Only the write of a removal, without the other steps. */
    const write = async (id: string, revision: string): Promise<boolean> =>
      (await store.change(id, { roles: [] }, revision, until)) !== undefined;

    it('do not count an administrator whose removal may still be written late', async () => {
      const [one, two] = (await administrators(2)) as [string, string];
      await reserve(one, LONG_MS);

      expect(await demote(1, 'system', two)).toEqual({ outcome: 'last-administrator' });

      // The same removal can be repeated.
      expect((await demote(1, 'system', one)).outcome).toBe('changed');
    });

    it('block nobody after a crash before the write, and a late write changes nothing', async () => {
      const [one, two] = (await administrators(2)) as [string, string];
      const { revision } = (await store.find(one, until))!;
      await reserve(one, EXPIRED_MS);

      expect((await demote(1, 'system', two)).outcome).toBe('changed');

      expect(await write(one, revision)).toBe(false);
      expect(await remaining([one, two])).toEqual([one]);
    });

    it('do not count an administrator who was removed before the crash', async () => {
      const [one, two] = (await administrators(2)) as [string, string];
      const { revision } = (await store.find(one, until))!;
      await reserve(one, EXPIRED_MS);
      expect(await write(one, revision)).toBe(true);

      expect(await demote(1, 'system', two)).toEqual({ outcome: 'last-administrator' });

      // After the role is granted again, the administrator counts again.
      const roles = ['admin'];
      await on(0).administration.change('system', one, { roles }, Origin.system, until);
      expect((await demote(1, 'system', two)).outcome).toBe('changed');
    });
  });
});
