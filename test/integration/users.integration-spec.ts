import { randomUUID } from 'node:crypto';

import type { UserPrincipal } from '../../src/common/authentication/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import {
  Argon2PasswordHasher,
  BootstrapAdministrator,
  type NewUser,
  type UsersOptions,
} from '../../src/users/index.js';
import {
  canonicalUsername,
  formerCanonicalUsername,
  usernameDigest,
} from '../../src/users/names/username.js';
import { Directory } from '../../src/near-cache/directory.js';
import type { NearCache } from '../../src/near-cache/index.js';
import { UserWriter } from '../../src/user-slot/write/index.js';
import type { NameKey } from '../../src/users/names/user-names.js';
import { CHEAP_HASHING } from '../support/cheap-hashing.js';
import { Gate } from '../support/gate.js';
import { eventually } from '../support/own-cluster.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { usersOn, type TestUsers } from '../support/users.js';

const password = new Secret('violet engines hum at dawn');
const hash = new Secret('hash');
const ADA: NameKey = { text: 'ada', isSkeleton: false };

describe('users in Redis', () => {
  let prefix: string;
  let instance: CacheInstance;
  beforeEach(async () => {
    prefix = newPrefix();
    instance = await startCacheInstance(prefix);
  });
  afterEach(async () => instance.close());

  const names = (): TestUsers['names'] => usersOn(instance).names;
  const reader = (): TestUsers['reader'] => usersOn(instance).reader;
  const writer = (): TestUsers['writer'] => usersOn(instance).writer;
  const using = (hashing: UsersOptions['hashing'] = CHEAP_HASHING): TestUsers =>
    usersOn(instance, { hashing });
  const newUser = (): NewUser => ({
    id: randomUUID(),
    username: 'ada',
    usernameKey: 'ada',
    email: null,
    displayName: null,
    roles: [],
  });
  const expiriesOf = async (suffix: string): Promise<number[]> => {
    const { keys } = await dumpKeys(prefix);
    return withRedis((_, cluster) =>
      Promise.all(keys.filter((key) => key.endsWith(suffix)).map((key) => cluster.pttl(key))),
    );
  };

  it('keep a confirmed name when its claim arrives again, late', async () => {
    const userId = randomUUID();
    await names().claim(ADA, userId, Deadline.none);
    expect(await names().find('ada', Deadline.none)).toEqual({ userId, isClaim: true });
    await names().confirm(ADA, userId, Deadline.none);

    expect(await names().claim(ADA, userId, Deadline.none)).toBe(true);

    expect(await names().find('ada', Deadline.none)).toEqual({ userId, isClaim: false });
  });

  describe('whose registration is interrupted', () => {
    /** A claim ends at once, as if its process had crashed long ago. */
    const late = (): TestUsers => usersOn(instance, { nameClaimTtlMs: 0 });
    const hashed = async (): Promise<Secret> =>
      new Secret(await new Argon2PasswordHasher(CHEAP_HASHING).hash(password));
    const register = async (user: NewUser): Promise<string | undefined> =>
      (await using().redisStore.create(user, hashed, Deadline.none))?.id;
    const loginOf = async (): Promise<string | undefined> => {
      const check = await using().credentials.check('ada', Deadline.none, password);
      return check.outcome === 'right' ? check.user.id : undefined;
    };

    it('before the user is written lose the name to the next registration, and are not written later', async () => {
      const [interrupted, next] = [newUser(), newUser()];
      await late().names.claim(ADA, interrupted.id, Deadline.none);

      expect(await register(next)).toBe(next.id);

      expect(await writer().create(interrupted, hash, Deadline.none)).toBeUndefined();
      expect(await names().confirm(ADA, interrupted.id, Deadline.none)).toBe(false);
      expect(await loginOf()).toBe(next.id);
    });

    it('before the name is confirmed keep the name, and are completed by the first login', async () => {
      const interrupted = newUser();
      await late().names.claim(ADA, interrupted.id, Deadline.none);
      await writer().create(interrupted, await hashed(), Deadline.none);

      expect(await register(newUser())).toBeUndefined();
      expect(await loginOf()).toBe(interrupted.id);

      expect(await names().find('ada', Deadline.none)).toEqual({
        userId: interrupted.id,
        isClaim: false,
      });
    });

    it('for longer than its claim end as one user, whichever of two registrations is faster', async () => {
      for (const isOvertaken of [true, false]) {
        const [slow, other] = [newUser(), newUser()];
        const hashing = new Gate();
        const registration = late().redisStore.create(
          slow,
          async () => hashing.pass(await hashed()),
          Deadline.none,
        );
        await hashing.reached;
        const overtaking = isOvertaken ? await register(other) : undefined;
        hashing.open();

        const created = await registration;

        expect([created?.id, overtaking]).toEqual(
          isOvertaken ? [undefined, other.id] : [slow.id, undefined],
        );
        expect(await loginOf()).toBe(isOvertaken ? other.id : slow.id);
        const stored = await Promise.all(
          [slow, other].map(async ({ id }) => reader().find(id, Deadline.none)),
        );
        expect(stored.filter(Boolean)).toHaveLength(1);
        await using().redisStore.remove(isOvertaken ? other.id : slow.id, {}, Deadline.none);
      }
    });

    it('of many with one name leave one user at most, and the name usable, even if every claim ends at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const users = Array.from({ length: 8 }, newUser);
        const created = await Promise.allSettled(
          users.map(async (user) => late().redisStore.create(user, hashed, Deadline.none)),
        );
        const winners = created.flatMap((one) =>
          one.status === 'fulfilled' && one.value ? [one.value.id] : [],
        );
        const stored = await Promise.all(
          users.map(async ({ id }) => reader().find(id, Deadline.none)),
        );

        expect(winners.length).toBeLessThanOrEqual(1);
        expect(stored.flatMap((user) => (user ? [user.id] : []))).toEqual(winners);
        const last = winners[0] ?? (await register(newUser()));
        expect(await loginOf()).toBe(last);
        await using().redisStore.remove(last!, {}, Deadline.none);
      }
    });

    const nameKey = (): string => instance.redis.keys.key(['name', usernameDigest('ada')], 'owner');

    it('by an instance of an earlier version, which takes over the name, leave no second user', async () => {
      const user = newUser();
      const other = randomUUID();
      const takeOver = async (): Promise<Secret> => {
        await withRedis((_, cluster) => cluster.set(nameKey(), other, 'PX', 15_000));
        return hash;
      };

      expect(await using().redisStore.create(user, takeOver, Deadline.none)).toBeUndefined();

      expect(await reader().find(user.id, Deadline.none)).toBeUndefined();
      expect(await withRedis((_, cluster) => cluster.get(nameKey()))).toBe(other);
    });

    it('on an instance of an earlier version keep the name while it expires, and are completed by the first login', async () => {
      const user = newUser();
      await writer().create(user, await hashed(), Deadline.none);
      const keys = ['record', 'password-hash'].map((part) =>
        instance.redis.keys.key(['user', user.id], part),
      );
      await withRedis(async (_, cluster) => {
        await cluster.set(nameKey(), user.id, 'PX', 15_000);
        await cluster.hset(keys[0]!, 'provisional', 1);
        await Promise.all(keys.map((key) => cluster.pexpire(key, 60_000)));
      });
      expect(await register(newUser())).toBeUndefined();

      expect(await loginOf()).toBe(user.id);

      const expiries = await withRedis((_, cluster) =>
        Promise.all([...keys, nameKey()].map((key) => cluster.pttl(key))),
      );
      expect(expiries).toEqual([-1, -1, -1]);
      expect(await reader().find(user.id, Deadline.none)).toMatchObject({ isProvisional: false });
    });
  });

  it('stay deleted when all earlier writes arrive again, late', async () => {
    const user = newUser();
    const userId = user.id;
    await writer().create(user, hash, Deadline.none);
    await writer().confirm(userId, Deadline.none);
    expect(await writer().delete(userId, {}, Deadline.none)).toEqual({
      outcome: 'removed',
      username: 'ada',
    });

    await writer().create(user, hash, Deadline.none);
    await writer().change(userId, { email: 'ada@example.com' }, Deadline.none);
    await writer().renewHash(userId, hash, new Secret('other'), Deadline.none);

    expect(await writer().confirm(userId, Deadline.none)).toBeUndefined();
    expect(await reader().find(userId, Deadline.none)).toBeUndefined();
    expect(await writer().delete(userId, {}, Deadline.none)).toEqual({ outcome: 'removed' });
    expect((await expiriesOf(':record'))[0]).toBeGreaterThan(0);
  });

  it('are not reverted by a late change, and not changed twice by a repeated change', async () => {
    const user = newUser();
    const userId = user.id;
    await writer().create(user, hash, Deadline.none);
    await writer().confirm(userId, Deadline.none);
    const change = async (isDisabled: boolean, id: string): Promise<string> => {
      const ids = [id];
      const cache: Pick<NearCache, 'changeInSlot'> = {
        changeInSlot: async (subject, write, deadline) => {
          if (ids.length === 0) {
            throw new Error('it has to be repeated with a new id');
          }
          const directory = instance.context.get(Directory);
          return (await directory.change(subject, ids.pop()!, write, deadline)).reply;
        },
      };
      const repeating = new UserWriter(instance.redis, cache as unknown as NearCache, reader());
      return (await repeating.change(userId, { isDisabled, endsSessions: true }, Deadline.none))
        .outcome;
    };

    expect(await change(true, 'first')).toBe('changed');
    expect(await change(false, 'second')).toBe('changed');
    await expect(change(true, 'first')).rejects.toThrow('repeated with a new id');
    expect(await reader().find(userId, Deadline.none)).toMatchObject({ isDisabled: false });
    const { revision } = (await reader().find(userId, Deadline.none))!;
    expect(await change(true, 'second')).toBe('changed');
    expect(await reader().find(userId, Deadline.none)).toMatchObject({
      isDisabled: false,
      revision,
    });
    expect(await change(true, 'third')).toBe('changed');
    expect(await reader().find(userId, Deadline.none)).toMatchObject({ isDisabled: true });
  });

  it('apply all of fifty concurrent changes', async () => {
    const registered = await using().users.register(
      { username: 'ada', password },
      Origin.system,
      Deadline.none,
    );
    const { id } = (registered as { user: { id: string } }).user;
    const service = using().administration;

    const changed = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        service.change(
          'system',
          id,
          index % 2 === 0 ? { displayName: 'Ada' } : { email: 'a@example.com' },
          Origin.system,
          Deadline.none,
        ),
      ),
    );

    expect(changed.every(({ outcome }) => outcome === 'changed')).toBe(true);
    expect(await reader().find(id, Deadline.none)).toMatchObject({
      displayName: 'Ada',
      email: 'a@example.com',
    });
  });

  it('cannot register themselves when self-registration is closed, but code of the application can register them', async () => {
    const { users, registrations, events, names } = usersOn(instance, {
      isRegistrationOpen: false,
    });
    const registration = { username: 'ada', password };

    const refused = await registrations.registerFor(
      undefined,
      registration,
      Origin.system,
      Deadline.none,
    );

    expect(refused.outcome).toBe('registration-closed');
    expect(events).toMatchObject([
      { type: 'registration-refused', reason: 'registration-closed', result: 'refused' },
    ]);
    expect(await names.find('ada', Deadline.none)).toBeUndefined();
    const registered = await users.register(registration, Origin.system, Deadline.none);
    expect(registered.outcome).toBe('registered');
  });

  it.each([
    [{ email: 'not an address' }, 'email', 'not-an-email'],
    [{ email: `${'x'.repeat(250)}@example.com` }, 'email', 'too-long'],
    [{ displayName: '' }, 'displayName', 'too-short'],
    [{ displayName: 'line\nbreak' }, 'displayName', 'control-characters'],
  ])(
    'are not registered by code of the application with the profile %j',
    async (profile, member, code) => {
      const registration = { username: 'ada', password, ...profile };

      const result = await using().users.register(registration, Origin.system, Deadline.none);

      expect(result).toMatchObject({ outcome: 'refused', failures: { [member]: { code } } });
      expect(await names().find('ada', Deadline.none)).toBeUndefined();
    },
  );

  it('keep their name when another user claims it, for as long as they exist', async () => {
    await using().users.register({ username: 'ada', password }, Origin.system, Deadline.none);

    expect(await names().claim(ADA, randomUUID(), Deadline.none)).toBe(false);
    await names().release(ADA, randomUUID(), Deadline.none);
    expect(await using().redisStore.findByUsername('ada', Deadline.none)).toMatchObject({
      username: 'ada',
    });
  });

  const CONFUSABLE = ['paypal', 'раураӏ', 'PaypaI', 'paypa1', 'PAYPA1', 'РАУРАӀ'];

  it.each([
    ['names that look alike', CONFUSABLE],
    ['spellings of a name that has a skeleton', Array.from({ length: 8 }, () => 'user1')],
  ])(
    'register %s once in total for many concurrent calls on several instances',
    async (_, names) => {
      const other = await startCacheInstance(prefix);
      for (let round = 0; round < 5; round += 1) {
        const outcomes = await Promise.all(
          names.map(async (username, index) =>
            usersOn(index % 2 ? instance : other).users.register(
              { username, password },
              Origin.system,
              Deadline.none,
            ),
          ),
        );

        const winners = outcomes.flatMap((one) => (one.outcome === 'registered' ? [one.user] : []));
        expect(winners).toHaveLength(1);
        const [winner] = winners;
        expect(
          (await using().credentials.check(winner!.username, Deadline.none, password)).outcome,
        ).toBe('right');
        await using().administration.delete('system', winner!.id, Origin.system, Deadline.none);
      }
      await other.close();
    },
  );

  it.each(CONFUSABLE)(
    'reserve all names that look like %s, log in with their own name only, and release the names at deletion',
    async (name) => {
      const registered = await using().users.register(
        { username: name, password },
        Origin.system,
        Deadline.none,
      );
      const { id } = (registered as { user: { id: string } }).user;
      for (const other of CONFUSABLE) {
        expect(
          await using().users.register({ username: other, password }, Origin.system, Deadline.none),
        ).toEqual({
          outcome: 'username-taken',
        });
        const { outcome } = await using().credentials.check(other, Deadline.none, password);
        expect({ other, outcome }).toEqual({
          other,
          outcome: canonicalUsername(other) === canonicalUsername(name) ? 'right' : 'wrong',
        });
      }

      await using().administration.delete('system', id, Origin.system, Deadline.none);

      expect(await expiriesOf(':owner')).toEqual([]);
      for (const other of CONFUSABLE) {
        const again = await using().users.register(
          { username: other, password },
          Origin.system,
          Deadline.none,
        );
        expect(again).toMatchObject({ outcome: 'registered', user: { username: other } });
        await using().administration.delete(
          'system',
          (again as { user: { id: string } }).user.id,
          Origin.system,
          Deadline.none,
        );
      }
    },
  );

  it('release the look-alike names, too, when their registration fails', async () => {
    const store = using().redisStore;
    const user = { ...newUser(), username: 'paypa1', usernameKey: 'paypa1' };
    await expect(
      store.create(user, () => Promise.reject(new Error('no hash')), Deadline.none),
    ).rejects.toThrow('no hash');

    await eventually(
      'the claims are released',
      5000,
      async () => (await expiriesOf(':owner')).length === 0,
    );
  });

  /** Stores a user like versions before 0.2: a key of the former canonical name, no skeleton, any name. */
  const addFormer = async (typed: string, displayed = typed): Promise<string> => {
    const id = randomUUID();
    const key = { text: formerCanonicalUsername(typed), isSkeleton: false };
    const passwordHash = new Secret(await new Argon2PasswordHasher(CHEAP_HASHING).hash(password));
    await names().claim(key, id, Deadline.none);
    await writer().create({ ...newUser(), id, username: displayed }, passwordHash, Deadline.none);
    await names().confirm(key, id, Deadline.none);
    await writer().confirm(id, Deadline.none);
    await withRedis((_, cluster) =>
      cluster.hdel(instance.redis.keys.key(['user', id], 'record'), 'skeletons'),
    );
    return id;
  };

  it('of earlier versions, with names that look alike or are refused today, keep working', async () => {
    const names = ['раураӏ', 'thᎥbaudcolas', 'admi\u0307n', 'paypal'];
    const ids = await Promise.all(names.map(async (name) => addFormer(name)));
    const { users, credentials } = using();
    for (const [index, name] of names.entries()) {
      const userId = ids[index]!;
      for (let login = 0; login < 2; login += 1) {
        expect(await credentials.check(name, Deadline.none, password)).toMatchObject({
          outcome: 'right',
          user: { id: userId },
        });
      }
      const change = {
        current: password,
        next: new Secret('another violet engine'),
      };
      const owner = {
        userId,
        sessionId: 'none',
        user: { username: 'ada', email: null, hasSecondFactor: false },
      };
      expect(
        (await users.changePassword(owner, change, Origin.system, Deadline.none)).outcome,
      ).toBe('changed');
      expect(
        (
          await users.deleteOwn(
            { userId, user: { hasSecondFactor: false } },
            change.next,
            Origin.system,
            Deadline.none,
          )
        ).outcome,
      ).toBe('deleted');
    }
    expect(await expiriesOf(':owner')).toEqual([]);
  });

  it('of earlier versions can change their password although their marks were stored out of order', async () => {
    const typed = 'a\u0323\u034f\u0307x\u0345\u0301';
    const id = await addFormer(typed, typed.replace('\u034f', ''));
    const { users, credentials } = using();
    expect((await credentials.check(typed, Deadline.none, password)).outcome).toBe('right');
    const change = {
      current: password,
      next: new Secret('another violet engine'),
    };
    const owner = {
      userId: id,
      sessionId: 'none',
      user: { username: 'ada', email: null, hasSecondFactor: false },
    };
    // Nobody has asked whether this user has a second factor.
    const unknown = { ...owner, user: { username: 'ada', email: null } };
    expect(await users.changePassword(unknown, change, Origin.system, Deadline.none)).toEqual({
      outcome: 'reauthentication-required',
    });
    expect((await users.changePassword(owner, change, Origin.system, Deadline.none)).outcome).toBe(
      'changed',
    );
  });

  it('of earlier versions are protected: names in small Latin letters at once, others from their next login', async () => {
    const { users, credentials } = using();
    const registers = async (username: string): Promise<string> =>
      (await users.register({ username, password }, Origin.system, Deadline.none)).outcome;
    await addFormer('administrator');
    await addFormer('user1');

    expect(await registers('adrninistrator')).toBe('username-taken');
    await credentials.check('user1', Deadline.none, password);
    expect(await registers('userl')).toBe('username-taken');
    expect(await registers('userI')).toBe('username-taken');
  });

  it('of earlier versions, stored under another form of their name, keep the name against other users and settings', async () => {
    const typed = 'ᾳ\u034f\u0301β';
    expect(formerCanonicalUsername(typed)).not.toBe(canonicalUsername(typed));
    const id = await addFormer(typed);
    const { users, registrations, accounts, credentials, events } = using();

    expect(
      await users.register({ username: typed, password }, Origin.system, Deadline.none),
    ).toEqual({ outcome: 'username-taken' });
    const options = { isRegistrationOpen: true, administrator: { username: typed, password } };
    await new BootstrapAdministrator(registrations, accounts, options).ensureCreated();

    expect(events.map(({ type }) => type)).toEqual(['registration-refused']);
    expect(await expiriesOf(':record')).toHaveLength(1);
    expect(await credentials.check(typed, Deadline.none, password)).toMatchObject({
      outcome: 'right',
      user: { id, roles: [] },
    });
  });

  it('whose name has another form in earlier versions cost as many calls of Redis to find as an unknown one', async () => {
    const [known, unknown] = ['o\u2019brien', 'o\u2019hara'];
    expect(formerCanonicalUsername(known)).not.toBe(canonicalUsername(known));
    const { users, credentials } = using();
    await users.register({ username: known, password }, Origin.system, Deadline.none);
    const { redis } = instance;
    const callsOf = async (username: string): Promise<[string[], boolean]> => {
      const scripts: string[] = [];
      const run = redis.run.bind(redis);
      redis.run = async (script, ...rest) => {
        scripts.push(script.name);
        return run(script, ...rest);
      };
      const user = await credentials.find(username, Deadline.none);
      redis.run = run;
      return [scripts, user !== undefined];
    };

    const [calls, isFound] = await callsOf(known);

    expect(isFound).toBe(true);
    expect(calls).toContain('find-name.lua');
    expect(await callsOf(unknown)).toEqual([calls, false]);
  });

  describe('who send one change many times concurrently', () => {
    const next = new Secret('another violet engine');
    const registered = async (): Promise<string> => {
      const registration = { username: 'ada', password };
      const result = await using().users.register(registration, Origin.system, Deadline.none);
      return (result as { user: { id: string } }).user.id;
    };
    const changeWith = async (
      { users }: TestUsers,
      userId: string,
      current: Secret,
      changed: Secret,
    ): Promise<string> => {
      const owner = {
        userId,
        sessionId: 'none',
        user: { username: 'ada', email: null, hasSecondFactor: false },
      };
      const change = { current, next: changed };
      return (await users.changePassword(owner, change, Origin.system, Deadline.none)).outcome;
    };
    /** Without the events of repetitions. */
    const typesOf = ({ events }: TestUsers): string[] =>
      events
        .filter(({ details }) => details?.['isRepeated'] !== true)
        .map(({ type }) => type)
        .filter((type) => type.startsWith('password-'));

    it('the same password change: all calls succeed, and all but one are recorded as repetitions', async () => {
      const userId = await registered();
      const one = using();

      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async () => changeWith(one, userId, password, next)),
      );

      expect(outcomes).toEqual(Array(8).fill('changed'));
      expect(typesOf(one)).toEqual(['password-changed']);
      expect((await one.credentials.check('ada', Deadline.none, password)).outcome).toBe('wrong');
      const check = await one.credentials.check('ada', Deadline.none, next);
      expect(check).toMatchObject({ outcome: 'right', user: { passwordVersion: 2 } });
    });

    it('different password changes: one succeeds, and the others get "wrong password"', async () => {
      const userId = await registered();
      const one = using();
      const passwords = Array.from(
        { length: 5 },
        (_, index) => new Secret(`violet engine ${index}`),
      );

      const outcomes = await Promise.all(
        passwords.map(async (changed) => changeWith(one, userId, password, changed)),
      );

      expect([...outcomes].sort()).toEqual(['changed', ...Array<string>(4).fill('wrong-password')]);
      expect(typesOf(one).sort()).toEqual([
        'password-changed',
        ...Array<string>(4).fill('password-refused'),
      ]);
      const winner = passwords[outcomes.indexOf('changed')]!;
      expect((await one.credentials.check('ada', Deadline.none, winner)).outcome).toBe('right');
    });

    it('a deletion or an address change during a rehash: no call gets "wrong password"', async () => {
      const userId = await registered();
      await changeWith(using(), userId, password, next);
      const one = using();
      const principal = {
        userId,
        sessionId: 'none',
        user: { email: null, hasSecondFactor: false },
      };

      const outcomes = await Promise.all([
        // A repeated change: it writes the same password again.
        ...Array.from({ length: 4 }, async () => changeWith(one, userId, password, next)),
        ...Array.from({ length: 4 }, async (_, index) => {
          const change = { email: `ada-${index}@example.org` };
          const result = await one.users.changeProfile(
            principal as unknown as UserPrincipal,
            change,
            next,
            Origin.system,
            Deadline.none,
          );
          return result.outcome;
        }),
      ]);

      expect(outcomes).toEqual(Array(8).fill('changed'));
      expect(typesOf(one)).not.toContain('password-refused');
      const deletion = await one.users.deleteOwn(
        { userId, user: { hasSecondFactor: false } },
        next,
        Origin.system,
        Deadline.none,
      );
      expect(deletion.outcome).toBe('deleted');
    });
  });

  it('get a new hash at login when the parameters have been raised, but never a weaker one', async () => {
    const [shipped, weak] = [{}, { memoryKib: 8192, passes: 2 }];
    const hashOf = async (): Promise<string> =>
      (await using(shipped).redisStore.findByUsername('ada', Deadline.none))!.passwordHash.reveal();
    await using(weak).users.register({ username: 'ada', password }, Origin.system, Deadline.none);
    expect(await hashOf()).toContain('m=8192,t=2');

    await using(shipped).credentials.check('ada', Deadline.none, new Secret('wrong'));
    expect(await hashOf()).toContain('m=8192,t=2');
    expect((await using(shipped).credentials.check('ada', Deadline.none, password)).outcome).toBe(
      'right',
    );
    expect(await hashOf()).toContain('m=19456,t=2');

    expect((await using(weak).credentials.check('ada', Deadline.none, password)).outcome).toBe(
      'right',
    );
    expect(await hashOf()).toContain('m=19456,t=2');
  });
});
