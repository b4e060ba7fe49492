import { randomUUID } from 'node:crypto';

import { usernameDigest } from '../../src/users/index.js';
import { GOOD_PASSWORD, type TestUser, type Tokens } from '../support/http-client.js';
import { withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
/** Where the figures were measured. */
const MEASURED_WITH = /redis_version:7\.0\.[\s\S]*mem_allocator:jemalloc/;
/** Other versions and allocators keep the same data in other tables and blocks. */
const TOLERANCE_ELSEWHERE = 0.2;

interface Usage {
  readonly name: number;
  readonly record: number;
  readonly sessions: number;
  /** What else there is of the user, without what lives for seconds. */
  readonly others: readonly string[];
}

/** What a user and the user's sessions take in the memory of a master: every key whole, by MEMORY USAGE. */
describe('Redis keeps', () => {
  let api: TestApp;
  beforeAll(async () => {
    api = await startTestApp();
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
      const bytes = async (key: string): Promise<number> =>
        (await cluster.memory('USAGE', key, 'SAMPLES', 0)) ?? 0;
      const isOther = (key: string): boolean =>
        !/:(?:record|sessions|fence|refresh-answer:[^:]+)$/.test(key);
      return {
        name: await bytes(`${prefix}{name.${usernameDigest(username)}}:owner`),
        record: await bytes(`${prefix}{user.${id}}:record`),
        sessions: await bytes(`${prefix}{user.${id}}:sessions`),
        others: keys.flat().filter(isOther),
      };
    });

  const expectUsage = async (usage: Usage, expected: Usage): Promise<void> => {
    const info = await withRedis(async ([master]) => master!.info());
    if (MEASURED_WITH.test(info)) {
      expect(usage).toEqual(expected);
      return;
    }
    const sum = ({ name, record, sessions }: Usage): number => name + record + sessions;
    expect(usage.others).toEqual(expected.others);
    expect(Math.abs(sum(usage) / sum(expected) - 1)).toBeLessThan(TOLERANCE_ELSEWHERE);
  };

  const USER = { name: 184, record: 1040, others: [] };

  it.each([
    [1, 616],
    [2, 1008],
    [10, 4304],
  ])('a user with %s sessions in so many bytes', async (count, sessions) => {
    const usage = await usageOf(await userWith(count));

    await expectUsage(usage, { ...USER, sessions });
  });

  it('the digests of the spent token and of three access tokens after two refreshes, and no more after any number', async () => {
    const user = await userWith(1);
    let { refresh_token: token } = user.tokens;
    for (const refreshes of [2, 20]) {
      for (let count = 0; count < refreshes; count += 1) {
        token = (await api.refresh(token)).body.refresh_token;
      }
      await expectUsage(await usageOf(user), { ...USER, sessions: 744 });
    }
  });

  it('no more for one session, however often it refreshes', async () => {
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
    await expectUsage(await usageOf(user), { ...USER, sessions: 744 });
  });
});
