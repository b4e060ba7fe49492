import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';

import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { InMemoryUserStore } from '../../src/contracts/index.js';
import type { NearCache } from '../../src/near-cache/index.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import {
  SESSION_LIMITS,
  sessionCacheKey,
  SessionReader,
  userSubject,
  type NewSession,
} from '../../src/user-slot/read/index.js';
import { FactorWriter, SessionWriter, UserWriter } from '../../src/user-slot/write/index.js';
import {
  UserStoreError,
  UserStoreUnavailableError,
  type StoredChange,
  type UserRecord,
  type UserStore,
} from '../../src/users/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { Gate } from '../support/gate.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { replacing, withChange, withFind } from '../support/user-stores.js';
import { usersOn, type TestUsers } from '../support/users.js';

const PASSWORD = new Secret('violet engines hum at dawn');
const NEW_PASSWORD = new Secret('copper kettles sing at dusk');
const ADA = { username: 'ada', email: null, hasSecondFactor: false };
const until = Deadline.none;

const NUMBERED_ROLES = Array.from({ length: 20 }, (_, index) => `role-${index}`);
const ROLES = Object.fromEntries(['editor', 'reader', ...NUMBERED_ROLES].map((role) => [role, []]));

describe('users in a foreign store', () => {
  let store: UserStore;
  let instances: CacheInstance[];
  let prefix: string;
  beforeEach(async () => {
    store = new InMemoryUserStore();
    prefix = newPrefix();
    instances = await Promise.all([startCacheInstance(prefix), startCacheInstance(prefix)]);
  });
  afterEach(async () => {
    await Promise.all(instances.map(async (instance) => instance.close()));
  });

  const on = (index: number, at: UserStore = store): TestUsers =>
    usersOn(instances[index]!, { roles: ROLES }, at);
  const readerOn = (index: number): SessionReader => {
    const { redis, cache } = instances[index]!;
    return new SessionReader(redis, cache, SESSION_LIMITS);
  };
  /** A writer that announces nothing, like a process that dies before the announcement. */
  const writerWithout = (index: number): UserWriter => {
    const { redis } = instances[index]!;
    const cache = { change: (_: string, write: (sequence: string) => unknown) => write('0') };
    return new UserWriter(redis, cache as unknown as NearCache, on(index).reader);
  };
  const register = async (): Promise<string> => {
    const registered = await on(0).users.register(
      { username: 'ada', password: PASSWORD },
      Origin.system,
      until,
    );
    return (registered as { user: { id: string } }).user.id;
  };
  const login = async (password = PASSWORD): Promise<NewSession | undefined> => {
    const check = await on(0).credentials.check('Ada', until, password);
    if (check.outcome !== 'right') {
      return undefined;
    }
    const session = {
      id: randomUUID(),
      userId: check.user.id,
      passwordVersion: check.user.passwordVersion,
      authentication: PASSWORD_LOGIN,
      accessToken: new Secret(randomUUID()),
      refreshToken: new Secret(randomUUID()),
      ip: '192.0.2.1',
      userAgent: 'a test',
    };
    const { redis, cache } = instances[0]!;
    const writer = new SessionWriter(redis, cache, SESSION_LIMITS);
    const { outcome } = await writer.start(session, until);
    return outcome === 'started' ? session : undefined;
  };
  /** A change that bypasses Keyslot. */
  const changeElsewhere = async (userId: string, change: StoredChange): Promise<void> => {
    const { revision } = (await store.find(userId, until))!;
    expect(await store.change(userId, change, revision, until)).toBeDefined();
  };
  const fromStore = (userId: string) => async () => ({
    user: await store.find(userId, until),
    isDeleted: false,
    effect: {},
  });
  const deleteElsewhere = async (userId: string): Promise<void> => {
    const { revision } = (await store.find(userId, until))!;
    expect(await store.delete(userId, revision, until)).toBe(true);
  };
  /** The state of a session on an instance, from its cache if possible. */
  const stateOn = async (index: number, session: NewSession) => {
    const sessions = readerOn(index);
    const token = { token: session.accessToken.reveal(), userId: session.userId };
    const state = await sessions.stateOf(
      sessionCacheKey(session.userId, session.id),
      true,
      async () => sessions.use({ ...token, sessionId: session.id }, true, until),
    );
    return state.state === 'live' ? state.user.roles : state.state;
  };
  const expectOnAll = async (session: NewSession, expected: unknown): Promise<void> => {
    for (const index of instances.keys()) {
      expect(await stateOn(index, session)).toEqual(expected);
    }
  };

  it('log in, and have no password hash in the Redis that stores the sessions', async () => {
    const userId = await register();

    expect(await login(new Secret('wrong'))).toBeUndefined();
    const session = (await login())!;

    await expectOnAll(session, []);
    const { values } = await dumpKeys(prefix);
    expect(JSON.stringify(values)).toContain(userId);
    expect(JSON.stringify(values)).not.toMatch(/argon2/);
  });

  it('lose access on every instance before a change returns', async () => {
    const userId = await register();
    await on(1).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const [session, other] = [(await login())!, (await login())!];
    await expectOnAll(session, ['editor']);

    await on(1).administration.change('system', userId, { roles: [] }, Origin.system, until);
    await expectOnAll(session, []);

    const change = { current: PASSWORD, next: NEW_PASSWORD };
    const owner = { userId, sessionId: session.id, user: ADA };
    expect(await on(1).users.changePassword(owner, change, Origin.system, until)).toMatchObject({
      outcome: 'changed',
    });
    await expectOnAll(session, []);
    await expectOnAll(other, 'ended');
    expect(await login()).toBeUndefined();

    await on(1).administration.change('system', userId, { disabled: true }, Origin.system, until);
    await expectOnAll(session, 'ended');
    expect(await login(NEW_PASSWORD)).toBeUndefined();
    await on(1).administration.change('system', userId, { disabled: false }, Origin.system, until);
    await expectOnAll(session, 'ended');
    const last = (await login(NEW_PASSWORD))!;
    await expectOnAll(last, []);

    expect(await on(1).administration.delete('system', userId, Origin.system, until)).toEqual({
      outcome: 'deleted',
    });
    await expectOnAll(last, 'ended');
    expect(await login(NEW_PASSWORD)).toBeUndefined();
  });

  it('lose access that was removed in the store, at the next login, refresh or reload', async () => {
    const userId = await register();
    await on(0).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const session = (await login())!;
    await expectOnAll(session, ['editor']);

    await changeElsewhere(userId, { roles: ['one'] });
    await login();
    await expectOnAll(session, ['one']);

    await changeElsewhere(userId, { roles: ['two'] });
    expect(await on(1).users.findCurrent(userId, until)).toMatchObject({ roles: ['two'] });
    await expectOnAll(session, ['two']);

    await changeElsewhere(userId, { password: { hash: new Secret('other'), version: 9 } });
    await on(1).users.reload(userId, until);
    await expectOnAll(session, 'ended');
  });

  it('have no session after the next refresh if they were deleted in the store', async () => {
    const userId = await register();
    const session = (await login())!;

    await deleteElsewhere(userId);
    expect(await on(1).users.findCurrent(userId, until)).toBeUndefined();

    await expectOnAll(session, 'ended');
  });

  it('keep their second factors while the store has lost them, but not when Keyslot deletes them', async () => {
    const userId = await register();
    const session = (await login())!;
    const { redis, cache } = instances[0]!;
    const factors = new FactorWriter(redis, cache);
    const factor = { id: randomUUID(), type: 'totp', name: '', isConfirmed: true, state: 'sealed' };
    expect(await factors.add(userId, factor, session.id, until)).toBe('changed');
    const lifetime = async (): Promise<number> =>
      withRedis(async (_, cluster) => cluster.pttl(redis.keys.key(['user', userId], 'factors')));
    const user = async () => (await on(0).reader.findCopy(userId, until)).user;
    expect(await login()).toBeUndefined();
    expect(await user()).toMatchObject({ hasSecondFactor: true });

    const lagging = on(
      1,
      withFind(store, () => Promise.resolve(undefined)),
    );
    expect(await lagging.users.findCurrent(userId, until)).toBeUndefined();

    await expectOnAll(session, 'ended');
    expect(await lifetime()).toBeGreaterThan(29 * 24 * 3_600_000);

    // The store has the user again. The first login writes the copy.
    expect(await login()).toBeUndefined();
    expect(await user()).toMatchObject({ hasSecondFactor: true });
    expect(await lifetime()).toBe(-1);

    await on(1).administration.delete('system', userId, Origin.system, until);
    expect(await lifetime()).toBe(-2);
  });

  it('lose remaining sessions when a deletion is repeated', async () => {
    const userId = await register();
    const session = (await login())!;
    await deleteElsewhere(userId);

    expect(await on(1).administration.delete('system', userId, Origin.system, until)).toEqual({
      outcome: 'unknown-user',
    });

    await expectOnAll(session, 'ended');
  });

  it('do not regain access through a late response of the store', async () => {
    const userId = await register();
    await on(0).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const session = (await login())!;
    await expectOnAll(session, ['editor']);
    const gate = new Gate();
    const slow = on(
      0,
      withFind(store, async (user) => gate.pass(user)),
    );

    const reloaded = slow.users.reload(userId, until);
    await gate.reached; // It has read that the user is an administrator.
    await on(1).administration.change('system', userId, { roles: [] }, Origin.system, until);
    gate.open();

    expect(await reloaded).toMatchObject({ roles: [] });
    await expectOnAll(session, []);
  });

  it('do not regain access through a late response of the store after a failover has lost a write', async () => {
    const userId = await register();
    await on(0).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const session = (await login())!;
    const before = await on(0).reader.findCopy(userId, until);
    // The write will not be confirmed, and the master that has it is about to be replaced.
    await writerWithout(0).updateCopy(userId, fromStore(userId), until);
    const gate = new Gate();
    const slow = on(
      0,
      withFind(store, async (user) => gate.pass(user)),
    );
    const reloaded = slow.users.reload(userId, until);
    await gate.reached;
    const record = instances[0]!.redis.keys.key(['user', userId], 'record');
    await withRedis(async (_, cluster) => cluster.hset(record, 'version', before.version!));

    await on(1).administration.change('system', userId, { roles: [] }, Origin.system, until);
    gate.open();
    await reloaded;

    await expectOnAll(session, []);
  });

  it('keep both of two concurrent changes, for any order of their writes to Redis', async () => {
    const userId = await register();
    await on(0).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const session = (await login())!;
    const gate = new Gate();
    const slow = on(
      0,
      withChange(store, async (user) => gate.pass(user)),
    );

    const renamed = slow.administration.change(
      'system',
      userId,
      { displayName: 'Ada' },
      Origin.system,
      until,
    );
    await gate.reached; // It has read that the user is still an administrator.
    await on(1).administration.change('system', userId, { roles: [] }, Origin.system, until);
    gate.open();
    await renamed;

    await expectOnAll(session, []);
    expect(await store.find(userId, until)).toMatchObject({ displayName: 'Ada', roles: [] });
  });

  it('lose a session that a password change has not ended yet, whichever call mirrors the change first', async () => {
    const userId = await register();
    const [thief, other] = [(await login())!, (await login())!];
    const password = { hash: new Secret('other'), version: 2 };
    await changeElsewhere(userId, { password });

    const { email, ...user } = (await store.find(userId, until))!;
    await on(0).users.changeProfile(
      {
        kind: 'user',
        userId,
        sessionId: thief.id,
        tokenId: 'any',
        authTime: Math.floor(Date.now() / 1000),
        user: { ...user, email },
      },
      { email: 'thief@example.com' },
      undefined,
      Origin.system,
      until,
    );

    await expectOnAll(thief, 'ended');
    await expectOnAll(other, 'ended');
  });

  it('lose their other sessions when an unconfirmed password change is repeated', async () => {
    const userId = await register();
    const [session, other] = [(await login())!, (await login())!];
    const change = { current: PASSWORD, next: NEW_PASSWORD };
    const owner = { userId, sessionId: session.id, user: ADA };
    const silent = on(
      0,
      withChange(store, async () => new Promise<never>(() => undefined)),
    );
    const soon = Deadline.after(4000);
    await expect(silent.users.changePassword(owner, change, Origin.system, soon)).rejects.toThrow(
      NotConfirmedError,
    );
    await expectOnAll(other, []);

    expect(await on(1).users.changePassword(owner, change, Origin.system, until)).toMatchObject({
      outcome: 'changed',
    });

    await expectOnAll(session, []);
    await expectOnAll(other, 'ended');
  });

  it('lose their other sessions when an unconfirmed address change is repeated', async () => {
    const userId = await register();
    const [session, other] = [(await login())!, (await login())!];
    const user = (await store.find(userId, until))!;
    const principal = {
      kind: 'user',
      userId,
      sessionId: session.id,
      tokenId: 'any',
      authTime: Math.floor(Date.now() / 1000),
      user,
    } as const;
    const change = { email: 'ada@example.com' };
    const silent = on(
      0,
      withChange(store, async () => new Promise<never>(() => undefined)),
    );
    const soon = Deadline.after(1000);
    await expect(
      silent.users.changeProfile(principal, change, undefined, Origin.system, soon),
    ).rejects.toThrow(NotConfirmedError);

    expect(
      await on(1).users.changeProfile(principal, change, undefined, Origin.system, until),
    ).toMatchObject({
      user: change,
    });

    await expectOnAll(session, []);
    await expectOnAll(other, 'ended');
  });

  it('lose all sessions when they are disabled, even with a concurrent enable', async () => {
    const userId = await register();
    const session = (await login())!;
    const gate = new Gate();
    const slow = on(
      0,
      withChange(store, async (user) => gate.pass(user)),
    );

    const disabled = slow.administration.change(
      'system',
      userId,
      { disabled: true },
      Origin.system,
      until,
    );
    await gate.reached;
    await on(1).administration.change('system', userId, { disabled: false }, Origin.system, until);
    gate.open();
    await disabled;

    await expectOnAll(session, 'ended');
  });

  it('are not changed by a late write that arrives after a newer change', async () => {
    const userId = await register();
    const session = (await login())!;
    const gate = new Gate();
    const landed: Promise<UserRecord | undefined>[] = [];
    // A store that ignores deadlines.
    const change: UserStore['change'] = async (id, changes, revision) => {
      await gate.pass(undefined);
      landed.push(store.change(id, changes, revision, until));
      return landed.at(-1);
    };
    const slow = on(0, Object.assign(Object.create(store) as UserStore, { change }));
    const soon = Deadline.after(1000);
    const late = slow.administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      soon,
    );
    await gate.reached;
    await expect(late).rejects.toThrow(NotConfirmedError);

    await on(1).administration.change(
      'system',
      userId,
      { roles: ['reader'] },
      Origin.system,
      until,
    );
    gate.open();
    await new Promise(setImmediate);
    await Promise.all(landed);
    expect(landed).toHaveLength(1);

    expect(await on(1).users.findCurrent(userId, until)).toMatchObject({ roles: ['reader'] });
    await expectOnAll(session, ['reader']);
  });

  it('are not affected by a rejected change', async () => {
    const userId = await register();
    const [winner, loser] = [(await login())!, (await login())!];
    const gate = new Gate();
    // It has verified the password, and is about to read the user again.
    const slow = on(
      0,
      replacing(store, 'find', async (call) => {
        await gate.pass(undefined, 2);
        return call();
      }),
    );
    const next = new Secret('a third password that is good');

    const refused = slow.users.changePassword(
      { userId, sessionId: loser.id, user: ADA },
      { current: PASSWORD, next },
      Origin.system,
      until,
    );
    await gate.reached;
    const change = { current: PASSWORD, next: NEW_PASSWORD };
    const owner = { userId, sessionId: winner.id, user: ADA };
    expect(await on(1).users.changePassword(owner, change, Origin.system, until)).toMatchObject({
      outcome: 'changed',
    });
    gate.open();

    expect(await refused).toEqual({ outcome: 'wrong-password' });
    await expectOnAll(winner, []);
    await expectOnAll(loser, 'ended');
  });

  it('keep the current session when the same change is overtaken by one that has not written the copy yet', async () => {
    const userId = await register();
    const [own, ended] = [(await login())!, (await login())!];
    const [written, verified] = [new Gate(), new Gate()];
    const change = { current: PASSWORD, next: NEW_PASSWORD };
    const owner = { userId, sessionId: own.id, user: ADA };
    const first = on(
      0,
      withChange(store, async (user) => written.pass(user)),
    );
    const second = on(
      1,
      replacing(store, 'find', async (call) => {
        await verified.pass(undefined, 2);
        return call();
      }),
    );

    const overtaken = second.users.changePassword(owner, change, Origin.system, until);
    await verified.reached;
    const winning = first.users.changePassword(owner, change, Origin.system, until);
    await written.reached; // The store has the new password, and the copy has not.
    verified.open();
    expect(await overtaken).toMatchObject({ outcome: 'changed' });
    await expectOnAll(own, []);
    written.open();

    expect(await winning).toMatchObject({ outcome: 'changed' });
    await expectOnAll(own, []);
    await expectOnAll(ended, 'ended');
  });

  it('keep the current session when the same password change is sent many times concurrently', async () => {
    const userId = await register();
    const [own, ended] = [(await login())!, (await login())!];
    const change = { current: PASSWORD, next: NEW_PASSWORD };
    const owner = { userId, sessionId: own.id, user: ADA };

    const results = await Promise.all(
      Array.from({ length: 6 }, async (_, index) =>
        on(index % 2).users.changePassword(owner, change, Origin.system, until),
      ),
    );

    expect(results.map(({ outcome }) => outcome)).toEqual(Array(6).fill('changed'));
    await expectOnAll(own, []);
    await expectOnAll(ended, 'ended');
  });

  it('are announced by the next reader if a mirrored change was not announced', async () => {
    const userId = await register();
    await on(0).administration.change(
      'system',
      userId,
      { roles: ['editor'] },
      Origin.system,
      until,
    );
    const session = (await login())!;
    await expectOnAll(session, ['editor']);
    await changeElsewhere(userId, { roles: [] });
    // Like a process that dies between the write and the announcement.
    const cache = instances[0]!.cache;
    await expect(
      cache.change(
        userSubject(userId),
        async () => {
          await writerWithout(0).updateCopy(userId, fromStore(userId), until);
          throw new Error('the process dies');
        },
        until,
      ),
    ).rejects.toThrow('the process dies');

    await on(0).users.findCurrent(userId, until);

    await expectOnAll(session, []);
  });

  it('can have their sessions ended while the store is unavailable', async () => {
    const userId = await register();
    const [session, other] = [(await login())!, (await login())!];
    const gone = on(
      0,
      replacing(store, 'find', () => Promise.reject(new UserStoreUnavailableError('away'))),
    );

    expect(await gone.users.endSessions(userId, session.id, until)).toBe(true);

    await expectOnAll(session, []);
    await expectOnAll(other, 'ended');
  });

  it('can log in again after an invalid response of the store', async () => {
    const userId = await register();
    const nonsense = on(
      0,
      replacing(store, 'find', async (call) => ({ ...(await call())!, roles: undefined as never })),
    );

    await expect(nonsense.users.reload(userId, until)).rejects.toThrow(
      'the store returned an invalid user: roles',
    );

    expect(await login()).toBeDefined();
  });

  it('have no password hash in an error of the store', async () => {
    const hashes: string[] = [];
    const failing = on(0, {
      ...withFind(store, (user) => Promise.resolve(user)),
      findByUsername: async (...args) => store.findByUsername(...args),
      create: async (user, passwordHash) => {
        hashes.push((await passwordHash()).reveal());
        const error = new Error(`no room for (${user.username}, ${hashes[0]})`);
        throw Object.assign(error, { detail: hashes[0], parameters: [hashes[0]] });
      },
    });

    const error: unknown = await failing.users
      .register({ username: 'ada', password: PASSWORD }, Origin.system, until)
      .catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(UserStoreError);
    expect(String(error)).toContain('no room for (ada, …)');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(hashes[0]!.slice(0, 20));
  });

  it('have no password hash in Redis any more if it was stored there before', async () => {
    await usersOn(instances[0]!).users.register(
      { username: 'ada', password: PASSWORD },
      Origin.system,
      until,
    );
    const moved = usersOn(instances[0]!).redisStore;
    const user = (await moved.findByUsername('ada', until))!;
    await store.create(
      { ...user, usernameKey: 'ada' },
      () => Promise.resolve(user.passwordHash),
      until,
    );

    expect(await login()).toBeDefined();

    const { values } = await dumpKeys(prefix);
    expect(JSON.stringify(values)).toContain(user.id);
    expect(JSON.stringify(values)).not.toMatch(/argon2/);
  });

  it('keep all of twenty concurrent changes on both instances', async () => {
    const userId = await register();
    const session = (await login())!;

    await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        on(index % 2).administration.change(
          'system',
          userId,
          { roles: [`role-${index}`] },
          Origin.system,
          until,
        ),
      ),
    );

    const { roles } = (await store.find(userId, until))!;
    await expectOnAll(session, roles);
  });
});
