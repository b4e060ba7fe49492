import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Deadline } from '../../src/common/deadline/index.js';
import { sha256 } from '../../src/common/digest/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { InMemoryUserStore } from '../../src/contracts/index.js';
import {
  SESSION_LIMITS,
  SessionReader,
  UserReader,
  type NewSession,
  type RefreshExchange,
} from '../../src/user-slot/read/index.js';
import { FactorWriter, SessionWriter } from '../../src/user-slot/write/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { withRedis } from '../support/redis.js';
import { startedSession } from '../support/started-session.js';
import { usersOn } from '../support/users.js';

const HASH = new Secret('$hash');
const LIFE_MS = 60_000;
const until = Deadline.none;

/** The members of an interface in `stored-format.ts`. */
function documented(name: string): string[] {
  const text = readFileSync('src/user-slot/stored-format.ts', 'utf8');
  const body = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(text)![1]!;
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member).sort();
}

describe('the slot of a user', () => {
  let instance: CacheInstance;
  let reader: SessionReader;
  let writer: SessionWriter;
  beforeAll(async () => {
    instance = await startCacheInstance(newPrefix());
    reader = new SessionReader(instance.redis, instance.cache, SESSION_LIMITS);
    writer = new SessionWriter(instance.redis, instance.cache, SESSION_LIMITS);
  });
  afterAll(async () => instance.close());

  const keyOf = (userId: string, ...parts: string[]): string =>
    instance.redis.keys.key(['user', userId], ...parts);
  const hashOf = async (userId: string, part: string): Promise<Record<string, string>> =>
    withRedis((_, cluster) => cluster.hgetall(keyOf(userId, part)));
  const newUser = (id = randomUUID()) => ({
    id,
    username: id,
    email: null,
    displayName: null,
    roles: [],
  });
  const sessionOf = (userId: string): NewSession => ({
    id: randomUUID(),
    userId,
    passwordVersion: 1,
    authentication: PASSWORD_LOGIN,
    ip: '192.0.2.1',
    userAgent: 'a test',
    accessToken: new Secret(randomUUID()),
    refreshToken: new Secret(randomUUID()),
  });
  const exchangeOf = ({ userId, id, refreshToken }: NewSession): RefreshExchange => ({
    userId,
    sessionId: id,
    presented: refreshToken,
    successor: new Secret(randomUUID()),
    accessToken: new Secret('next'),
    accessTtlSeconds: 900,
    sealedAnswer: 'sealed',
  });
  const membersOf = (...texts: (string | undefined)[]): string[] =>
    [...new Set(texts.flatMap((text) => Object.keys(JSON.parse(text ?? '{}') as object)))].sort();

  it('has the documented fields of a user, and no others', async () => {
    const { writer: users } = usersOn(instance);
    const kept = newUser();
    await users.create(kept, HASH, until);
    const provisional = await hashOf(kept.id, 'record');
    await users.confirm(kept.id, until);
    const factor = { id: randomUUID(), type: 'totp', name: '', isConfirmed: true, state: 'sealed' };
    const session = await startedSession(instance, kept.id);
    await new FactorWriter(instance.redis, instance.cache).add(kept.id, factor, session.id, until);
    const password = { hash: HASH, version: 2 };
    await users.change(kept.id, { password, isDisabled: true }, until);
    const deleted = newUser();
    await users.create(deleted, HASH, until);
    await users.delete(deleted.id, {}, until);
    const store = new InMemoryUserStore();
    const copied = newUser();
    await store.create({ ...copied, usernameKey: copied.id }, () => Promise.resolve(HASH));
    await usersOn(instance, {}, store).users.reload(copied.id, until);

    const records = await Promise.all(
      [kept.id, deleted.id, copied.id].map(async (id) => hashOf(id, 'record')),
    );

    const fields = [provisional, ...records].flatMap((record) => Object.keys(record));
    // Only earlier versions stored the hash in the user.
    expect([...new Set([...fields, 'passwordHash'])].sort()).toEqual(documented('StoredUser'));
    expect(fields).not.toContain('passwordHash');
  });

  it('has the documented fields of a session, and no others', async () => {
    const { writer: users } = usersOn(instance);
    const { id: userId } = newUser();
    await users.create(newUser(userId), HASH, until);
    const [session, ended] = [sessionOf(userId), sessionOf(userId)];
    await writer.start(session, until);
    await writer.start(ended, until);
    await writer.exchange(exchangeOf(session), until);
    const authentication = { time: 0, methods: ['pwd', 'otp', 'mfa'] as const };
    const raised = { ...session, authentication, refreshToken: new Secret(randomUUID()) };
    expect(await writer.raise({ ...raised, passwordVersion: undefined }, until)).toEqual({
      outcome: 'raised',
    });
    const expiry = new Date(Date.now() + LIFE_MS);
    await writer.revokeToken(userId, session.id, randomUUID(), expiry, until);
    await writer.end(userId, ended.id, until);

    const stored = await hashOf(userId, 'sessions');
    const answers = await withRedis((_, cluster) =>
      cluster.get(keyOf(userId, 'refresh-answer', session.id)),
    );

    expect(membersOf(stored[session.id])).toEqual(documented('StoredSession'));
    expect(membersOf(stored[ended.id])).toEqual(documented('EndedSession'));
    const [answer] = JSON.parse(answers ?? '[]') as object[];
    expect(Object.keys(answer ?? {}).sort()).toEqual(documented('KeptRefreshAnswer'));
  });

  it('has the documented fields of a factor and of a pending login, and no others', async () => {
    const { writer: users } = usersOn(instance);
    const factors = new FactorWriter(instance.redis, instance.cache);
    const { id: userId } = newUser();
    await users.create(newUser(userId), HASH, until);
    const factor = { id: randomUUID(), type: 'totp', name: '', isConfirmed: true, state: 'sealed' };
    const login = { userId, digest: randomUUID() };
    await factors.add(userId, factor, (await startedSession(instance, userId)).id, until);
    await factors.beginLogin(login, 1, until);
    await factors.failLogin(login, until);
    const pending = await withRedis((_, cluster) =>
      cluster.get(keyOf(userId, 'pending-login', login.digest)),
    );
    const { factors: found } = await factors.find(userId, until, login);
    const use = await factors.use(userId, found[0]!, 'next', login, until);
    expect(use.outcome).toBe('used');

    const stored = await hashOf(userId, 'factors');

    expect(membersOf(stored[factor.id])).toEqual(documented('StoredFactor'));
    expect(membersOf(pending ?? undefined)).toEqual(documented('StoredPendingLogin'));
  });

  it('keeps the password hash apart, also of a user of version 0.1.0 whose hash is replaced', async () => {
    const { writer: users } = usersOn(instance);
    const found = new UserReader(instance.redis, instance.cache);
    const stored = async (userId: string): Promise<unknown[]> => [
      await withRedis((_, cluster) => cluster.hget(keyOf(userId, 'record'), 'passwordHash')),
      await withRedis((_, cluster) => cluster.get(keyOf(userId, 'password-hash'))),
    ];
    const hashFound = async (userId: string): Promise<string> =>
      (await found.find(userId, until))!.passwordHash.reveal();
    const [created, ...former] = [newUser(), newUser(), newUser()];
    await users.create(created, HASH, until);
    expect(await stored(created.id)).toEqual([null, '$hash']);
    expect(await hashFound(created.id)).toBe('$hash');

    for (const user of former) {
      await users.create(user, new Secret('$outdated'), until);
      // Also after a change by an instance of version 0.1.0, during an upgrade.
      await withRedis((_, cluster) =>
        cluster.hset(keyOf(user.id, 'record'), 'passwordHash', '$former'),
      );
      expect(await hashFound(user.id)).toBe('$former');
    }
    const [changed, renewed] = former;
    const password = { hash: new Secret('$new'), version: 2 };
    const change = await users.change(changed.id, { password }, until);
    expect(change.outcome === 'changed' && change.user.passwordHash.reveal()).toBe('$new');
    await users.renewHash(renewed.id, new Secret('$outdated'), new Secret('$wrong'), until);
    await users.renewHash(renewed.id, new Secret('$former'), new Secret('$new'), until);
    for (const { id } of former) {
      expect(await stored(id)).toEqual([null, '$new']);
      expect(await hashFound(id)).toBe('$new');
    }

    await users.delete(renewed.id, {}, until);
    expect(await stored(renewed.id)).toEqual([null, null]);
  });

  it('loses no hash of a user who is registered while hashes are separated', async () => {
    const { writer: users } = usersOn(instance);
    const registered = Array.from({ length: 100 }, () => newUser());
    const hashOfUser = async ({ id }: { id: string }): Promise<unknown> =>
      withRedis((_, cluster) => cluster.get(keyOf(id, 'password-hash')));

    const outcomes = await Promise.all(
      registered.flatMap((user) => [
        users.separateHash(user.id, until),
        users.create(user, HASH, until).then(() => 'unchanged'),
        users.separateHash(user.id, until),
        users.confirm(user.id, until).then(() => 'unchanged'),
        users.separateHash(user.id, until),
      ]),
    );

    expect(new Set(outcomes)).toEqual(new Set(['unchanged']));
    const hashes = await Promise.all(registered.map(hashOfUser));
    expect(new Set(hashes)).toEqual(new Set(['$hash']));
  });

  it('is read exactly as version 0.1.0 wrote it', async () => {
    const userId = randomUUID();
    const session = sessionOf(userId);
    const { id: kept } = sessionOf(userId);
    const now = Date.now() - 1000;
    const text = (refreshToken: string, epoch: number): string =>
      `{"createdAt":${now},"lastUsedAt":${now},"endsAt":${now + LIFE_MS},"epoch":${epoch},"ip":"192.0.2.1",` +
      `"userAgent":"a test","refreshHash":"${sha256(refreshToken)}","verified":["${sha256(session.accessToken.reveal()).slice(0, 22)}"]}`;
    await withRedis(async (_, cluster) => {
      await cluster.hset(keyOf(userId, 'record'), {
        id: userId,
        username: 'Ada',
        email: '',
        displayName: 'Ada L.',
        roles: '["editor"]',
        createdAt: '1764089000123',
        updatedAt: '1764089000456',
        provisional: '0',
        passwordHash: '$hash',
        passwordVersion: '1',
        skeletons: '1',
        disabled: '0',
        sessionEpoch: '3',
        sessionEpochAt: String(now),
        lastChange: '1764089000456000',
      });
      await cluster.hset(keyOf(userId, 'sessions'), {
        [session.id]: text(session.refreshToken.reveal(), 3),
        [kept]: text('another', 3),
        [randomUUID()]: text('of an older epoch', 2),
        [randomUUID()]: `{"endedAt":${now},"endedBy":"1764089000456000"}`,
      });
    });
    const presented = { token: session.accessToken.reveal(), userId, sessionId: session.id };

    expect(await reader.use(presented, false, until)).toMatchObject({
      state: 'live',
      user: {
        id: userId,
        username: 'Ada',
        email: null,
        displayName: 'Ada L.',
        roles: ['editor'],
        createdAt: new Date(1_764_089_000_123),
      },
    });
    const ids = (await reader.list(userId, until)).map(({ id }) => id);
    expect(ids.sort()).toEqual([session.id, kept].sort());
    expect(await writer.exchange(exchangeOf(session), until)).toEqual({ outcome: 'rotated' });
    const change = { ifRevision: '1764089000456000', endsSessions: true, exceptSessionId: kept };
    expect(await usersOn(instance).writer.change(userId, change, until)).toMatchObject({
      outcome: 'changed',
    });
    expect((await reader.use(presented, true, until)).state).toBe('ended');
    expect((await reader.check(userId, kept, until)).state).toBe('live');
    expect(await writer.end(userId, kept, until)).toBe(true);
  });
});
