import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { Directory } from '../../src/near-cache/directory.js';
import type { NearCache } from '../../src/near-cache/index.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import {
  SessionsService,
  type NewSession,
  type RefreshExchange,
  type RefreshOutcome,
  type SessionsOptions,
} from '../../src/sessions/index.js';
import {
  SESSION_LIMITS,
  sessionCacheKey,
  SessionReader,
  UserReader,
} from '../../src/user-slot/read/index.js';
import { SessionWriter } from '../../src/user-slot/write/index.js';
import type { UserRecord } from '../../src/users/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { keptAnswers, backdateSpentTokens } from '../support/kept-answers.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';
import { usersOn, type TestUsers } from '../support/users.js';

const STARTED = { outcome: 'started' };
const REFUSED = { outcome: 'refused' };

describe('sessions in Redis', () => {
  const prefix = newPrefix();
  let instance: CacheInstance;
  let users: TestUsers['users'];
  let administration: TestUsers['administration'];
  let writer: TestUsers['writer'];
  let audit: TestUsers['audit'];
  beforeAll(async () => {
    instance = await startCacheInstance(prefix);
    ({ users, administration, writer, audit } = usersOn(instance));
  });
  afterAll(async () => instance.close());

  const sessions = (
    options: SessionsOptions = {},
    cache: NearCache = instance.cache,
  ): SessionsService => {
    const limits = { ...SESSION_LIMITS, ...options };
    const { redis } = instance;
    return new SessionsService(
      new SessionReader(redis, cache, limits),
      new SessionWriter(redis, cache, limits),
      users,
      new UserReader(redis, cache),
      audit,
    );
  };
  const newUser = async (): Promise<UserRecord> => {
    const id = randomUUID();
    const user = { id, username: id, usernameKey: id, email: null, displayName: null, roles: [] };
    await writer.create(user, new Secret('hash'), Deadline.none);
    return (await writer.confirm(id, Deadline.none))!;
  };
  const sessionOf = (userId: string, passwordVersion = 1): NewSession => ({
    id: randomUUID(),
    userId,
    passwordVersion,
    authentication: PASSWORD_LOGIN,
    accessToken: new Secret(`token-${randomUUID()}`),
    refreshToken: new Secret(randomUUID()),
    ip: '192.0.2.1',
    userAgent: 'a test',
  });
  const use = (session: NewSession, isVerified = false, options: SessionsOptions = {}) =>
    new SessionReader(instance.redis, instance.cache, { ...SESSION_LIMITS, ...options }).use(
      { token: session.accessToken.reveal(), userId: session.userId, sessionId: session.id },
      isVerified,
      Deadline.none,
    );
  const exchangeOf = (
    session: NewSession,
    change: Partial<RefreshExchange> = {},
  ): RefreshExchange => ({
    userId: session.userId,
    sessionId: session.id,
    presented: session.refreshToken,
    successor: new Secret(randomUUID()),
    accessToken: new Secret(`token-${randomUUID()}`),
    accessTtlSeconds: 900,
    sealedAnswer: randomUUID(),
    ...change,
  });
  /** All keys of a user, including those that expire after a second. */
  const keysOf = async (userId: string): Promise<string[]> => {
    const tag = instance.redis.keys.key(['user', userId], 'x').slice(0, -1);
    return withRedis(async (masters, cluster) => {
      await cluster.set(`${tag}fence`, '', 'PX', 1000);
      const keys = await Promise.all(masters.map((node) => node.keys(`${tag}*`)));
      return keys
        .flat()
        .map((key) => key.slice(tag.length))
        .sort();
    });
  };
  const started = async (options: SessionsOptions = {}): Promise<NewSession> => {
    const session = sessionOf((await newUser()).id);
    expect(await sessions(options).start(session, Deadline.none)).toEqual(STARTED);
    return session;
  };

  it('are live from start to end, and contain the user', async () => {
    const session = await started();
    expect(await use(session)).toMatchObject({ state: 'live', user: { id: session.userId } });

    expect(await sessions().end(session.userId, session.id, Origin.system, Deadline.none)).toBe(
      true,
    );
    expect((await use(session)).state).toBe('ended');
    expect(await sessions().end(session.userId, session.id, Origin.system, Deadline.none)).toBe(
      false,
    );
    expect(await sessions().end(session.userId, randomUUID(), Origin.system, Deadline.none)).toBe(
      false,
    );
  });

  it('do not start after a change of the password, or for a user who is disabled or deleted', async () => {
    const user = await newUser();
    expect(
      await sessions().start(sessionOf(user.id, user.passwordVersion + 1), Deadline.none),
    ).toEqual(REFUSED);

    await administration.change(
      'system',
      user.id,
      { disabled: true },
      Origin.system,
      Deadline.none,
    );
    expect(await sessions().start(sessionOf(user.id), Deadline.none)).toEqual(REFUSED);
    await administration.change(
      'system',
      user.id,
      { disabled: false },
      Origin.system,
      Deadline.none,
    );
    expect(await sessions().start(sessionOf(user.id), Deadline.none)).toEqual(STARTED);

    await administration.delete('system', user.id, Origin.system, Deadline.none);
    expect(await sessions().start(sessionOf(user.id), Deadline.none)).toEqual(REFUSED);
    expect(await sessions().start(sessionOf(randomUUID()), Deadline.none)).toEqual(REFUSED);
  });

  const endings: [string, (session: NewSession) => Promise<unknown>][] = [
    [
      'end on their own',
      ({ userId, id }) => sessions().end(userId, id, Origin.system, Deadline.none),
    ],
    [
      'end with all others',
      ({ userId }) => sessions().endAll(userId, undefined, Origin.system, Deadline.none),
    ],
    [
      'end when their user is disabled',
      ({ userId }) =>
        administration.change('system', userId, { disabled: true }, Origin.system, Deadline.none),
    ],
    [
      'end with their user',
      ({ userId }) => administration.delete('system', userId, Origin.system, Deadline.none),
    ],
  ];

  it.each(endings)(
    '%s, and stay ended, even if all earlier writes arrive again, late',
    async (_, end) => {
      const session = await started();
      const exchange = exchangeOf(session);
      expect((await sessions().exchange(exchange, Deadline.none)).outcome).toBe('rotated');

      await end(session);

      expect(await sessions().start(session, Deadline.none)).toEqual(REFUSED);
      expect((await sessions().exchange(exchange, Deadline.none)).outcome).toBe('ended');
      expect((await use(session, true)).state).toBe('ended');
      expect(await sessions().list(session.userId, Deadline.none)).toEqual([]);
      await administration.change(
        'system',
        session.userId,
        { disabled: false },
        Origin.system,
        Deadline.none,
      );
      expect((await use(session, true)).state).toBe('ended');
    },
  );

  it('are reported as ended only after every instance has acknowledged it, even if the call that ended them crashed', async () => {
    const session = await started();
    const elsewhere = await startCacheInstance(prefix);
    const key = sessionCacheKey(session.userId, session.id);
    await elsewhere.cache.get(key, () => use(session));
    const silent: Pick<NearCache, 'changeInSlot'> = {
      changeInSlot: async (...change) => {
        const directory = instance.context.get(Directory);
        await directory.change(change[0], 'a change', change[1], change[2]);
        throw new NotConfirmedError('nobody was told');
      },
    };
    const failed = sessions({}, silent as unknown as NearCache).end(
      session.userId,
      session.id,
      Origin.system,
      Deadline.none,
    );
    await expect(failed).rejects.toThrow(NotConfirmedError);
    expect(elsewhere.cache.peek(key)).toMatchObject({ state: 'live' });

    expect((await use(session)).state).toBe('ended');

    expect(elsewhere.cache.peek(key)).toBeUndefined();
    await elsewhere.close();
  });

  it('can all be ended except one', async () => {
    const session = await started();
    const others = [sessionOf(session.userId), sessionOf(session.userId)];
    await Promise.all(others.map((other) => sessions().start(other, Deadline.none)));

    expect(await sessions().endAll(session.userId, session.id, Origin.system, Deadline.none)).toBe(
      true,
    );

    expect((await use(session)).state).toBe('live');
    for (const other of others) {
      expect((await use(other)).state).toBe('ended');
    }
    const later = sessionOf(session.userId);
    expect(await sessions().start(later, Deadline.none)).toEqual(STARTED);
    expect((await use(later)).state).toBe('live');
  });

  it('accept only the issued token without a signature check, until another one is verified', async () => {
    const session = await started();
    const other = { ...session, accessToken: new Secret('another token') };

    expect((await use(other)).state).toBe('unverified');
    expect((await use(other, true)).state).toBe('live');
    expect((await use(other)).state).toBe('live');
  });

  it('store a limited number of verified tokens, the newest', async () => {
    const session = await started();
    const tokens = Array.from({ length: 20 }, (_, index) => new Secret(`token ${index}`));
    for (const accessToken of tokens) {
      expect((await use({ ...session, accessToken }, true)).state).toBe('live');
    }

    const states = [];
    for (const accessToken of tokens) {
      states.push((await use({ ...session, accessToken })).state);
    }

    expect(states).toEqual([...Array<string>(17).fill('unverified'), ...Array(3).fill('live')]);
    expect(await keysOf(session.userId)).toEqual(['fence', 'password-hash', 'record', 'sessions']);
  });

  it('from versions without verified tokens stay live, and store tokens from then on', async () => {
    const session = await started();
    const key = instance.redis.keys.key(['user', session.userId], 'sessions');
    await withRedis(async (_, cluster) => {
      const { verified, ...older } = JSON.parse((await cluster.hget(key, session.id))!) as {
        verified: string[];
      };
      expect(verified).toHaveLength(1);
      await cluster.hset(key, session.id, JSON.stringify(older));
    });

    expect((await use(session)).state).toBe('unverified');
    expect((await use(session, true)).state).toBe('live');
    expect((await use(session)).state).toBe('live');
    expect((await sessions().exchange(exchangeOf(session), Deadline.none)).outcome).toBe('rotated');
    expect(await sessions().end(session.userId, session.id, Origin.system, Deadline.none)).toBe(
      true,
    );
    expect((await use(session)).state).toBe('ended');
  });

  it('contain their revoked tokens while they are live', async () => {
    const session = await started();
    const tokenIds = Array.from({ length: 5 }, () => randomUUID());
    const { userId, id: sessionId } = session;
    const expiresAt = new Date(Date.now() + 60_000);

    await Promise.all(
      tokenIds.map(async (tokenId) => {
        const token = { userId, sessionId, tokenId, expiresAt };
        await sessions().revokeToken(token, Origin.system, Deadline.none);
      }),
    );

    expect(await use(session)).toMatchObject({
      state: 'live',
      revokedTokens: new Set(tokenIds),
    });
  });

  it('expire after the idle lifetime and at the maximum age (37)', async () => {
    const user = await newUser();
    const [idle, old] = [sessionOf(user.id), sessionOf(user.id)];
    const shortIdle = { idleTtlSeconds: 1 };
    await sessions(shortIdle).start(idle, Deadline.none);
    await sessions({ maxAgeSeconds: 1 }).start(old, Deadline.none);

    // The old session is used and refreshed all the time. The idle one is unused for the same time.
    const unlimited = sessions({ isRefreshLimited: false });
    let { refreshToken } = old;
    await eventually('the old one has ended', 5000, async () => {
      const exchange = exchangeOf(old, { presented: refreshToken });
      refreshToken = exchange.successor;
      const { outcome } = await unlimited.exchange(exchange, Deadline.none);
      await use(old, true);
      return outcome === 'ended';
    });
    expect((await use(old, true)).state).toBe('ended');
    expect((await use(idle, false, shortIdle)).state).toBe('ended');
    expect(await sessions(shortIdle).list(user.id, Deadline.none)).toEqual([]);
  });

  it('never exceed the limit, even if 50 start concurrently (46)', async () => {
    const { id: userId } = await newUser();
    const limited = sessions({ maxPerUser: 5 });
    const begun = Array.from({ length: 50 }, () => sessionOf(userId));

    const results = await Promise.all(
      begun.map((session) => limited.start(session, Deadline.none)),
    );

    expect(results).toEqual(begun.map(() => STARTED));
    const states = await Promise.all(begun.map((session) => use(session)));
    expect(states.filter(({ state }) => state === 'live')).toHaveLength(5);
    expect(await limited.list(userId, Deadline.none)).toHaveLength(5);
  });

  it('are evicted least recently used first', async () => {
    const { id: userId } = await newUser();
    const limited = sessions({ maxPerUser: 2 });
    const [first, second, third] = [sessionOf(userId), sessionOf(userId), sessionOf(userId)];
    await limited.start(first, Deadline.none);
    await limited.start(second, Deadline.none);
    const begun = Date.now();
    await eventually('the clock has moved on', 1000, () => Promise.resolve(Date.now() > begun + 2));
    await use(first);

    await limited.start(third, Deadline.none);

    expect((await limited.list(userId, Deadline.none)).map(({ id }) => id).sort()).toEqual(
      [first.id, third.id].sort(),
    );
  });

  describe('exchange refresh tokens', () => {
    it('once: the successor works, and spent tokens return the answers up to the newest', async () => {
      const session = await started();
      const first = exchangeOf(session);
      expect(await sessions().exchange(first, Deadline.none)).toEqual({ outcome: 'rotated' });

      expect(await sessions().exchange(exchangeOf(session), Deadline.none)).toEqual({
        outcome: 'replayed',
        sealedAnswers: [first.sealedAnswer],
      });

      const next = exchangeOf(session, { presented: first.successor });
      expect(await sessions().exchange(next, Deadline.none)).toEqual({ outcome: 'rotated' });
      expect(await sessions().exchange(exchangeOf(session), Deadline.none)).toEqual({
        outcome: 'replayed',
        sealedAnswers: [first.sealedAnswer, next.sealedAnswer],
      });
    });

    /** Makes this many exchanges in sequence. */
    const exchangesInSequence = async (
      session: NewSession,
      length: number,
    ): Promise<RefreshExchange[]> => {
      const exchanges: RefreshExchange[] = [];
      for (let presented = session.refreshToken; exchanges.length < length;) {
        const exchange = exchangeOf(session, { presented });
        expect((await sessions().exchange(exchange, Deadline.none)).outcome).toBe('rotated');
        exchanges.push(exchange);
        presented = exchange.successor;
      }
      return exchanges;
    };
    const replay = async (
      session: NewSession,
      { presented }: RefreshExchange,
    ): Promise<RefreshOutcome> =>
      sessions().exchange(exchangeOf(session, { presented }), Deadline.none);
    const ownerOf = ({ userId, id: sessionId }: NewSession) => ({ userId, sessionId });

    it('during the grace period of each token, which starts at its own exchange and is never extended', async () => {
      const session = await started();
      const exchanges = await exchangesInSequence(session, 4);
      const answers = exchanges.map(({ sealedAnswer }) => sealedAnswer);

      for (let over = 0; over <= exchanges.length; over += 1) {
        for (const [generation, exchange] of exchanges.entries()) {
          expect({ over, generation, ...(await replay(session, exchange)) }).toEqual(
            generation < over
              ? { over, generation, outcome: 'reused' }
              : {
                  over,
                  generation,
                  outcome: 'replayed',
                  sealedAnswers: answers.slice(generation),
                },
          );
        }
        await backdateSpentTokens(prefix, ownerOf(session), 10_000, over + 1);
      }
      // The newest token was never used, and expired answers are removed.
      const next = exchangeOf(session, { presented: exchanges.at(-1)!.successor });
      expect((await sessions().exchange(next, Deadline.none)).outcome).toBe('rotated');
      expect((await keptAnswers(prefix, ownerOf(session))).map(({ answer }) => answer)).toEqual([
        next.sealedAnswer,
      ]);
    });

    it('until the last millisecond of the grace period, but not after it', async () => {
      const session = await started();
      const [exchange] = (await exchangesInSequence(session, 1)) as [RefreshExchange];
      // One second of the grace period remains, and less than a second has passed since.
      await backdateSpentTokens(prefix, ownerOf(session), 9000);
      const { spentAt } = (await keptAnswers(prefix, ownerOf(session)))[0]!;

      await eventually('the grace is over', 5000, async () => {
        const begin = Date.now();
        const { outcome } = await replay(session, exchange);
        const end = Date.now();
        if (end < spentAt + 10_000) {
          expect(outcome).toBe('replayed');
        } else if (begin >= spentAt + 10_000) {
          expect(outcome).toBe('reused');
        }
        return outcome === 'reused';
      });
    });

    it('with stored answers of the last eight exchanges only: the size of a session is limited', async () => {
      const session = await started();
      const exchanges = await exchangesInSequence(session, 10);

      expect(await keptAnswers(prefix, ownerOf(session))).toHaveLength(8);
      for (const [generation, exchange] of exchanges.entries()) {
        expect({ generation, outcome: (await replay(session, exchange)).outcome }).toEqual({
          generation,
          outcome: generation < 2 ? 'reused' : 'replayed',
        });
      }
    });

    it('with an answer that was stored by the previous version', async () => {
      const session = await started();
      const exchanges = await exchangesInSequence(session, 2);
      const key = instance.redis.keys.key(['user', session.userId], 'refresh-answer', session.id);
      await withRedis((_, cluster) => cluster.set(key, 'sealed.before', 'PX', 5000));

      expect(await replay(session, exchanges[1]!)).toEqual({
        outcome: 'replayed',
        sealedAnswers: ['sealed.before'],
      });
      expect((await replay(session, exchanges[0]!)).outcome).toBe('reused');
      const next = exchangeOf(session, { presented: exchanges[1]!.successor });
      await sessions().exchange(next, Deadline.none);
      expect(await replay(session, exchanges[1]!)).toEqual({
        outcome: 'replayed',
        sealedAnswers: ['sealed.before', next.sealedAnswer],
      });
    });

    it('with the same result when one exchange is sent twice', async () => {
      const session = await started();
      for (const options of [{}, { refreshGraceSeconds: 0 }]) {
        const exchange = exchangeOf(await started());
        await sessions(options).exchange(exchange, Deadline.none);
        expect((await sessions(options).exchange(exchange, Deadline.none)).outcome).toBe('rotated');
      }
      expect((await use(session)).state).toBe('live');
    });

    it('a limited number of times; a refused exchange does not spend the token', async () => {
      const session = await started();
      let presented = session.refreshToken;
      const next = async (): Promise<RefreshOutcome> => {
        const exchange = exchangeOf(session, { presented });
        const outcome = await sessions().exchange(exchange, Deadline.none);
        presented = outcome.outcome === 'rotated' ? exchange.successor : presented;
        return outcome;
      };
      const outcomes: RefreshOutcome[] = [];
      const begin = performance.now();
      for (let count = 0; count < 100; count += 1) {
        outcomes.push(await next());
      }
      const earned = Math.ceil((performance.now() - begin) / 5000);

      const rotated = outcomes.filter(({ outcome }) => outcome === 'rotated');
      expect(rotated.length).toBeGreaterThanOrEqual(30);
      expect(rotated.length).toBeLessThanOrEqual(30 + earned);
      const limited = outcomes.filter((outcome) => outcome.outcome === 'limited');
      expect(limited.length).toBe(100 - rotated.length);
      for (const { retryAfterSeconds } of limited) {
        expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
        expect(retryAfterSeconds).toBeLessThanOrEqual(5);
      }
      const unlimited = sessions({ isRefreshLimited: false });
      const exchange = exchangeOf(session, { presented });
      expect((await unlimited.exchange(exchange, Deadline.none)).outcome).toBe('rotated');
      expect(await keysOf(session.userId)).toEqual([
        'fence',
        'password-hash',
        'record',
        `refresh-answer:${session.id}`,
        'sessions',
      ]);
    });

    it('at least twice in the lifetime of an access token, however short it is', async () => {
      const session = await started();
      let presented = session.refreshToken;
      // One exchange becomes available every half second: the test counts refusals and measures no time.
      const refused: number[] = [];
      for (let rotated = 0; rotated < 33;) {
        const exchange = exchangeOf(session, { presented, accessTtlSeconds: 1 });
        const outcome = await sessions().exchange(exchange, Deadline.none);
        if (outcome.outcome === 'limited') {
          refused.push(outcome.retryAfterSeconds);
        } else {
          expect(outcome.outcome).toBe('rotated');
          presented = exchange.successor;
          rotated += 1;
        }
      }
      expect(new Set(refused)).toEqual(new Set([1]));
    });

    it('only on a confirmed master: even a refusal is a durable write', async () => {
      const session = await started();
      const unknown = { ...session, id: randomUUID() };
      for (const [refused, outcome] of [
        [exchangeOf(session, { presented: new Secret('an older one') }), 'reused'],
        [exchangeOf(unknown), 'ended'],
      ] as const) {
        const fence = instance.redis.keys.key(['user', session.userId], 'fence');
        await withRedis((_, cluster) => cluster.del(fence));
        expect((await sessions().exchange(refused, Deadline.none)).outcome).toBe(outcome);
        expect(await withRedis((_, cluster) => cluster.exists(fence))).toBe(1);
      }
    });

    it('never twice without a grace period, or after it', async () => {
      const strict = sessions({ refreshGraceSeconds: 0 });
      const session = await started();
      await strict.exchange(exchangeOf(session), Deadline.none);
      expect((await strict.exchange(exchangeOf(session), Deadline.none)).outcome).toBe('reused');

      const short = sessions({ refreshGraceSeconds: 1 });
      const other = await started();
      await short.exchange(exchangeOf(other), Deadline.none);
      await eventually('the grace is over', 5000, async () => {
        return (await short.exchange(exchangeOf(other), Deadline.none)).outcome === 'reused';
      });
    });
  });
});
