import { randomUUID } from 'node:crypto';

import { Secret } from '../../src/common/secret/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import {
  SessionsService,
  type NewSession,
  type SessionsOptions,
} from '../../src/sessions/index.js';
import { UsersStore } from '../../src/users/users.store.js';
import { eventually } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

describe('sessions in Redis', () => {
  const redis = new RedisCluster({ ...testSettings({}).redis, keyPrefix: `t-${randomUUID()}:` });
  const users = new UsersStore(redis, { isRegistrationOpen: true });
  afterAll(async () => redis.onApplicationShutdown());

  const sessions = (options: SessionsOptions = {}): SessionsService =>
    new SessionsService(redis, options);
  const newUser = async () => {
    const id = randomUUID();
    await users.create(id, { username: id, password: new Secret('') }, 'hash');
    return (await users.confirm(id))!;
  };
  const sessionOf = (userId: string, passwordVersion = 1): NewSession => ({
    id: randomUUID(),
    userId,
    passwordVersion,
    accessToken: new Secret(`token-${randomUUID()}`),
    accessTtlSeconds: 900,
    refreshToken: new Secret(randomUUID()),
    ip: '192.0.2.1',
    userAgent: 'a test',
  });
  const use = (session: NewSession, isVerified = false, options: SessionsOptions = {}) =>
    sessions(options).use(
      { token: session.accessToken.reveal(), userId: session.userId, sessionId: session.id },
      isVerified,
      60_000,
    );

  it('live from start to end, and tell who the user is', async () => {
    const user = await newUser();
    const session = sessionOf(user.id);

    expect(await sessions().start(session)).toBe(true);
    expect(await use(session)).toMatchObject({ state: 'live', user: { id: user.id } });

    await sessions().end(user.id, session.id);
    expect((await use(session)).state).toBe('ended');
  });

  it('do not start with a password that was changed, or for a user who was deleted', async () => {
    const user = await newUser();
    expect(await sessions().start(sessionOf(user.id, user.passwordVersion + 1))).toBe(false);

    await users.delete(user);
    expect(await sessions().start(sessionOf(user.id))).toBe(false);
    expect(await sessions().start(sessionOf(randomUUID()))).toBe(false);
  });

  it('stay ended, though their start arrives once more, late', async () => {
    const user = await newUser();
    const session = sessionOf(user.id);
    await sessions().start(session);
    await sessions().end(user.id, session.id);

    expect(await sessions().start(session)).toBe(false);
    expect((await use(session, true)).state).toBe('ended');
  });

  it('end with their user', async () => {
    const user = await newUser();
    const session = sessionOf(user.id);
    await sessions().start(session);

    await users.delete(user);

    expect((await use(session)).state).toBe('ended');
  });

  it('vouch for no token but the one that was issued, until somebody has verified it', async () => {
    const user = await newUser();
    const session = sessionOf(user.id);
    await sessions().start(session);
    const other = { ...session, accessToken: new Secret('another token') };

    expect((await use(other)).state).toBe('unverified');
    expect((await use(other, true)).state).toBe('live');
    expect((await use(other)).state).toBe('live');
  });

  it('end when they are not used, and when they have lasted long enough (37)', async () => {
    const user = await newUser();
    const [idle, old] = [sessionOf(user.id), sessionOf(user.id)];
    const shortIdle = { idleTtlSeconds: 1 };
    await sessions(shortIdle).start(idle);
    await sessions({ maxAgeSeconds: 1 }).start(old);

    // The old one is used all the time; the idle one is left alone meanwhile, and for as long.
    await eventually('the old one has ended', 5000, async () => (await use(old)).state === 'ended');
    expect((await use(idle)).state).toBe('ended');
  });
});
