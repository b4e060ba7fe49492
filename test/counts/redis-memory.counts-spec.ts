import type { Cluster } from 'ioredis';
import { randomUUID } from 'node:crypto';

import { TrailQueue } from '../../src/audit/trail/trail-queue.js';
import { TrailStore } from '../../src/audit/trail/trail-store.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { CacheKey } from '../../src/near-cache/index.js';
import { Membership } from '../../src/near-cache/membership.js';
import { usernameDigest } from '../../src/users/index.js';
import { GOOD_PASSWORD, type TestUser, type Tokens } from '../support/http-client.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';
import { startShippedApp, type TestApp } from '../support/test-app.js';

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
/** The environment of the measurement. Other versions and allocators use different tables and block sizes. */
const MEASURED_WITH = /redis_version:7\.0\.[\s\S]*mem_allocator:jemalloc/;
const TOLERANCE_ELSEWHERE = 0.2;

/** Size of one key, in bytes. */
interface Size {
  /** Bytes of its fields and values: equal for every Redis version. */
  readonly stored: number;
  /** According to MEMORY USAGE. */
  readonly memory: number;
}

interface Usage {
  readonly name: Size;
  readonly record: Size;
  readonly passwordHash: Size;
  readonly sessions: Size;
  /** The other keys of the user, without temporary ones. */
  readonly others: readonly string[];
}

/** Memory of a user with sessions on a master, including key overhead. */
describe('Redis keeps', () => {
  let api: TestApp;
  beforeAll(async () => {
    api = await startShippedApp();
  });
  afterAll(async () => api.close());

  const login = async (username: string): Promise<Tokens> => {
    const body = { username, password: GOOD_PASSWORD };
    const headers = { 'user-agent': USER_AGENT };
    return (await api.request<Tokens>('POST', '/api/login', { body, headers })).body;
  };
  const userWith = async (sessions: number): Promise<TestUser> => {
    const username = `user-${randomUUID()}`;
    const { id } = (await api.register(username)).body;
    let tokens = await login(username);
    for (let more = 1; more < sessions; more += 1) {
      tokens = await login(username);
    }
    return { id, username, password: GOOD_PASSWORD, tokens };
  };

  const usageOf = async ({ id, username }: TestUser): Promise<Usage> =>
    withRedis(async (masters, cluster) => {
      const prefix = `${api.keyPrefix}v1:`;
      const keys = await Promise.all(masters.map((node) => node.keys(`${prefix}{user.${id}}:*`)));
      const sizeOf = async (key: string): Promise<Size> => sizeIn(cluster, key);
      const isOther = (key: string): boolean =>
        !/:(?:record|password-hash|sessions|fence|refresh-answer:[^:]+)$/.test(key);
      return {
        name: await sizeOf(`${prefix}{name.${usernameDigest(username)}}:owner`),
        record: await sizeOf(`${prefix}{user.${id}}:record`),
        passwordHash: await sizeOf(`${prefix}{user.${id}}:password-hash`),
        sessions: await sizeOf(`${prefix}{user.${id}}:sessions`),
        others: keys.flat().filter(isOther),
      };
    });

  const sizeOf = async (key: string): Promise<Size> =>
    withRedis(async (_, cluster) => sizeIn(cluster, key));
  const expectSizes = async (sizes: readonly Size[], expected: readonly Size[]): Promise<void> => {
    const info = await withRedis(async ([master]) => master!.info());
    if (MEASURED_WITH.test(info)) {
      expect(sizes).toEqual(expected);
      return;
    }
    const stored = (all: readonly Size[]): number[] => all.map((size) => size.stored);
    const memory = (all: readonly Size[]): number =>
      all.reduce((sum, size) => sum + size.memory, 0);
    expect(stored(sizes)).toEqual(stored(expected));
    expect(Math.abs(memory(sizes) / memory(expected) - 1)).toBeLessThan(TOLERANCE_ELSEWHERE);
  };
  const expectUsage = async (usage: Usage, expected: Usage): Promise<void> => {
    const sizes = ({ name, record, passwordHash, sessions }: Usage): Size[] => [
      name,
      record,
      passwordHash,
      sessions,
    ];
    await expectSizes(sizes(usage), sizes(expected));
    expect(usage.others).toEqual(expected.others);
  };

  const USER = {
    name: { stored: 36, memory: 184 },
    record: { stored: 192, memory: 392 },
    passwordHash: { stored: 97, memory: 248 },
    others: [],
  };

  it.each([
    [1, { stored: 348, memory: 616 }],
    [2, { stored: 696, memory: 1008 }],
    [10, { stored: 3480, memory: 4240 }],
  ])('a user with %s sessions in this many bytes', async (count, sessions) => {
    const usage = await usageOf(await userWith(count));

    await expectUsage(usage, { ...USER, sessions });
  });

  it('one holder, and nothing else, after the first read of a session', async () => {
    const user = await userWith(1);

    await api.ownUser(user.tokens.access_token);

    const holders = `${api.keyPrefix}v1:{user.${user.id}}:holders`;
    const sessions = { stored: 348, memory: 616 };
    await expectUsage(await usageOf(user), { ...USER, sessions, others: [holders] });
    await expectSizes([await sizeOf(holders)], [{ stored: 61, memory: 216 }]);
  });

  const REFRESHED = { stored: 493, memory: 808 };

  it('the digests of the spent token and of three access tokens after two refreshes, and no more after others', async () => {
    const user = await userWith(1);
    let { refresh_token: token } = user.tokens;
    for (const refreshes of [2, 20]) {
      for (let count = 0; count < refreshes; count += 1) {
        token = (await api.refresh(token)).body.refresh_token;
      }
      await expectUsage(await usageOf(user), { ...USER, sessions: REFRESHED });
    }
  });

  it('constant memory for a session, for any number of refreshes', async () => {
    const user = await userWith(1);
    let { refresh_token: token } = user.tokens;
    let refused = 0;
    for (let count = 0; count < 60; count += 1) {
      const answer = await api.refresh(token);
      if (answer.status === 429) {
        expect(answer.body).toMatchObject({ code: 'too-many-attempts' });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        refused += 1;
      } else {
        expect(answer.status).toBe(200);
        token = answer.body.refresh_token;
      }
    }

    expect(refused).toBeGreaterThan(0);
    await expectUsage(await usageOf(user), { ...USER, sessions: REFRESHED });
  });

  it('an event of the audit trail in 796 bytes, with all its indexes', async () => {
    const EVENTS = 5000;
    const USERS = 500;
    const prefix = newPrefix();
    const instance = await startCacheInstance(prefix);
    const retentionMs = 90 * 86_400_000;
    const queue = new TrailQueue(
      new TrailStore(instance.redis, { retentionMs, maxEventsPerType: 1e6 }),
      instance.clock,
    );
    const users = Array.from({ length: USERS }, () => randomUUID());
    for (let number = 0; number < EVENTS; number += 1) {
      queue.add({
        type: 'logged-in',
        result: 'success',
        userId: users[number % USERS],
        sessionId: randomUUID(),
        actor: 'user',
        actorId: users[number % USERS],
        requestId: randomUUID(),
        ip: '203.0.113.9',
      });
    }
    await eventually('all are recorded', 20_000, () => Promise.resolve(queue.depth === 0));
    await instance.close();

    const { bytes, info } = await withRedis(async (masters, cluster) => {
      const keys = (await Promise.all(masters.map((node) => node.keys(`${prefix}v1:*`)))).flat();
      const ofTrail = keys.filter((key) => /\{audit(?:-user)?\./.test(key));
      const sizes = ofTrail.map(async (key) => cluster.memory('USAGE', key, 'SAMPLES', 0));
      const total = (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
      return { bytes: total, info: await masters[0]!.info() };
    });
    // The levels of the skip lists are random.
    const tolerance = MEASURED_WITH.test(info) ? 0.02 : TOLERANCE_ELSEWHERE;
    expect(Math.abs(bytes / EVENTS / 796 - 1)).toBeLessThan(tolerance);
  });

  describe('for the near cache', () => {
    let instances: CacheInstance[];
    beforeAll(async () => {
      instances = [];
      while (instances.length < 4) {
        instances.push(await startCacheInstance(api.keyPrefix));
      }
    });
    afterAll(async () => {
      await Promise.all(instances.map(async (instance) => instance.close()));
    });

    const directoryOf = (userId: string): string =>
      instances[0]!.redis.keys.key(['user', userId], 'holders');
    const userHeldBy = async (holders: number): Promise<string> => {
      const id = randomUUID();
      for (const { cache } of instances.slice(0, holders)) {
        await cache.get(new CacheKey<string>(`user.${id}`), () => Promise.resolve('a session'));
      }
      return id;
    };

    it.each([
      [1, { stored: 61, memory: 216 }],
      [2, { stored: 122, memory: 296 }],
      [4, { stored: 244, memory: 456 }],
    ])('the directory of a user with %s holders in this many bytes', async (holders, size) => {
      await expectSizes([await sizeOf(directoryOf(await userHeldBy(holders)))], [size]);
    });

    it('the directory after a change, without its former holders, in this many bytes', async () => {
      const id = await userHeldBy(4);
      await instances[0]!.cache.change(`user.${id}`, () => Promise.resolve(), Deadline.none);

      const isFinished = async (): Promise<boolean> =>
        withRedis(async (_, cluster) =>
          (await cluster.hvals(directoryOf(id))).some((value) => value.includes('"holders":{}')),
        );
      await eventually('the change is finished', 5000, isFinished);
      await expectSizes([await sizeOf(directoryOf(id))], [{ stored: 146, memory: 488 }]);
    });

    it('an inbox without posts in at most 250 bytes', async () => {
      const sizes = instances.map(async ({ context }) => sizeOf(context.get(Membership).leaseKey));

      for (const { memory } of await Promise.all(sizes)) {
        expect(memory).toBeLessThanOrEqual(250);
      }
    });
  });
});

async function sizeIn(cluster: Cluster, key: string): Promise<Size> {
  return {
    // First, because reading the fields completes a rehash, during which two tables exist.
    stored: await storedBytes(cluster, key),
    memory: (await cluster.memory('USAGE', key, 'SAMPLES', 0)) ?? 0,
  };
}

/** Size of the fields and values of a key, in bytes. */
async function storedBytes(cluster: Cluster, key: string): Promise<number> {
  if ((await cluster.type(key)) === 'string') {
    return cluster.strlen(key);
  }
  const fields = await cluster.hkeys(key);
  const lengths = await Promise.all(fields.map((field) => cluster.hstrlen(key, field)));
  return [...fields.map((field) => Buffer.byteLength(field)), ...lengths].reduce(
    (sum, length) => sum + length,
    0,
  );
}
