import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { SessionsService, type NewSession } from '../../src/sessions/index.js';
import type { UserRecord, UserStore } from '../../src/users/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys } from '../support/redis.js';
import { usersOn, type TestUsers } from '../support/users.js';

const PASSWORD = new Secret('violet engines hum at dawn');
const NEW_PASSWORD = new Secret('copper kettles sing at dusk');
const until = Deadline.none;

/** The store of the application's own: here ours, with keys of its own, which keeps the same contract. */
describe('users who are kept in another store', () => {
  let elsewhere: CacheInstance;
  let store: UserStore;
  let instances: CacheInstance[];
  let prefix: string;
  beforeEach(async () => {
    elsewhere = await startCacheInstance(newPrefix());
    store = usersOn(elsewhere).accounts;
    prefix = newPrefix();
    instances = await Promise.all([startCacheInstance(prefix), startCacheInstance(prefix)]);
  });
  afterEach(async () => {
    await Promise.all([elsewhere, ...instances].map(async (instance) => instance.close()));
  });

  const on = (index: number, at: UserStore = store): TestUsers =>
    usersOn(instances[index]!, {}, at);
  const sessionsOn = (index: number): SessionsService =>
    new SessionsService(instances[index]!.redis, instances[index]!.cache, on(index).users, {});
  const register = async (): Promise<string> => {
    const registered = await on(0).users.register({ username: 'ada', password: PASSWORD }, until);
    return (registered as { user: { id: string } }).user.id;
  };
  const login = async (password = PASSWORD): Promise<NewSession | undefined> => {
    const check = await on(0).credentials.check('Ada', until, password);
    if (check.outcome !== 'right') {
      return undefined;
    }
    const session = {
      ...{ id: randomUUID(), userId: check.user.id, passwordVersion: check.user.passwordVersion },
      ...{ accessToken: new Secret(randomUUID()), accessTtlSeconds: 900 },
      ...{ refreshToken: new Secret(randomUUID()), ip: '192.0.2.1', userAgent: 'a test' },
    };
    return (await sessionsOn(0).start(session, until)) ? session : undefined;
  };
  /** What an instance says of a session, from memory where it remembers. */
  const stateOn = async (index: number, session: NewSession) => {
    const sessions = sessionsOn(index);
    const token = { token: session.accessToken.reveal(), userId: session.userId };
    const state = await sessions.stateOf(
      sessions.keyOf({ ...token, sessionId: session.id }),
      true,
      async () => sessions.use({ ...token, sessionId: session.id }, true, 900_000, until),
    );
    return state.state === 'live' ? state.user.roles : state.state;
  };
  const expectOnAll = async (session: NewSession, expected: unknown): Promise<void> => {
    for (const index of instances.keys()) {
      expect(await stateOn(index, session)).toEqual(expected);
    }
  };

  it('log in, and have no hash of their password in the Redis of the sessions', async () => {
    const userId = await register();

    expect(await login(new Secret('wrong'))).toBeUndefined();
    const session = (await login())!;

    await expectOnAll(session, []);
    const { values } = await dumpKeys(prefix);
    expect(JSON.stringify(values)).toContain(userId);
    expect(JSON.stringify(values)).not.toMatch(/argon2/);
  });

  it('lose on every instance what a change takes, when it returns', async () => {
    const userId = await register();
    await on(1).users.change(userId, { roles: ['admin'] }, until);
    const [session, other] = [(await login())!, (await login())!];
    await expectOnAll(session, ['admin']);

    await on(1).users.change(userId, { roles: [] }, until);
    await expectOnAll(session, []);

    const change = { current: PASSWORD, next: NEW_PASSWORD, sessionId: session.id };
    expect(await on(1).users.changePassword(userId, change, until)).toEqual({ outcome: 'changed' });
    await expectOnAll(session, []);
    await expectOnAll(other, 'ended');
    expect(await login()).toBeUndefined();

    await on(1).users.change(userId, { disabled: true }, until);
    await expectOnAll(session, 'ended');
    expect(await login(NEW_PASSWORD)).toBeUndefined();
    await on(1).users.change(userId, { disabled: false }, until);
    await expectOnAll(session, 'ended');
    const last = (await login(NEW_PASSWORD))!;
    await expectOnAll(last, []);

    expect(await on(1).users.delete(userId, until)).toBe(true);
    await expectOnAll(last, 'ended');
    expect(await login(NEW_PASSWORD)).toBeUndefined();
  });

  it('lose what somebody else has changed in the store, at the next login, refresh or reload', async () => {
    const userId = await register();
    await on(0).users.change(userId, { roles: ['admin'] }, until);
    const session = (await login())!;
    await expectOnAll(session, ['admin']);

    await store.change(userId, { roles: ['one'] }, until);
    await login();
    await expectOnAll(session, ['one']);

    await store.change(userId, { roles: ['two'] }, until);
    expect(await on(1).users.findCurrent(userId, until)).toMatchObject({ roles: ['two'] });
    await expectOnAll(session, ['two']);

    await store.change(userId, { password: { hash: new Secret('other'), version: 9 } }, until);
    await on(1).users.reload(userId, until);
    await expectOnAll(session, 'ended');
  });

  it('who were deleted in the store have no session after the next refresh', async () => {
    const userId = await register();
    const session = (await login())!;

    await store.delete(userId, undefined, until);
    expect(await on(1).users.findCurrent(userId, until)).toBeUndefined();

    await expectOnAll(session, 'ended');
  });

  it('end sessions that a deletion has left, when it is repeated', async () => {
    const userId = await register();
    const session = (await login())!;
    await store.delete(userId, undefined, until);

    expect(await on(1).users.delete(userId, until)).toBe(false);

    await expectOnAll(session, 'ended');
  });

  it('do not get back what was taken, though an older answer of the store comes late', async () => {
    const userId = await register();
    await on(0).users.change(userId, { roles: ['admin'] }, until);
    const session = (await login())!;
    await expectOnAll(session, ['admin']);
    const gate = new Gate();
    const slow = on(
      0,
      withFind(store, async (user) => gate.pass(user)),
    );

    const reloaded = slow.users.reload(userId, until);
    await gate.reached; // it has read that the user is an administrator
    await on(1).users.change(userId, { roles: [] }, until);
    gate.open();

    expect(await reloaded).toMatchObject({ roles: [] });
    await expectOnAll(session, []);
  });

  it('keep what two changes at once have made, whoever is last to tell of his', async () => {
    const userId = await register();
    await on(0).users.change(userId, { roles: ['admin'] }, until);
    const session = (await login())!;
    const gate = new Gate();
    const slow = on(
      0,
      withChange(store, async (outcome) => gate.pass(outcome)),
    );

    const renamed = slow.users.change(userId, { displayName: 'Ada' }, until);
    await gate.reached; // it has been told of a user who is an administrator still
    await on(1).users.change(userId, { roles: [] }, until);
    gate.open();
    await renamed;

    await expectOnAll(session, []);
    expect(await store.find(userId, until)).toMatchObject({ displayName: 'Ada', roles: [] });
  });

  it('take all of twenty changes that come at once, on either instance', async () => {
    const userId = await register();
    const session = (await login())!;

    await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        on(index % 2).users.change(userId, { roles: [`role-${index}`] }, until),
      ),
    );

    const { roles } = (await store.find(userId, until))!;
    await expectOnAll(session, roles);
  });
});

/** Holds the first who comes. */
class Gate {
  readonly reached: Promise<void>;
  private arrive!: () => void;
  open!: () => void;
  private readonly opened = new Promise<void>((open) => (this.open = open));
  private isUsed = false;

  constructor() {
    this.reached = new Promise((arrive) => (this.arrive = arrive));
  }

  async pass<T>(value: T): Promise<T> {
    if (!this.isUsed) {
      this.isUsed = true;
      this.arrive();
      await this.opened;
    }
    return value;
  }
}

type Find = UserStore['find'];
type Change = UserStore['change'];

function withFind(
  store: UserStore,
  after: (user: UserRecord | undefined) => ReturnType<Find>,
): UserStore {
  const find: Find = async (...args) => after(await store.find(...args));
  return Object.assign(Object.create(store) as UserStore, { find });
}

function withChange(
  store: UserStore,
  after: (outcome: Awaited<ReturnType<Change>>) => ReturnType<Change>,
): UserStore {
  const change: Change = async (...args) => after(await store.change(...args));
  return Object.assign(Object.create(store) as UserStore, { change });
}
