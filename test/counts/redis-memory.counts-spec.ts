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
  /** Of each mark of a verified token, which lives as long as the token. */
  readonly marks: readonly number[];
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
      const marks = keys.flat().filter((key) => key.includes(':verified:'));
      return {
        name: await bytes(`${prefix}{name.${usernameDigest(username)}}:owner`),
        record: await bytes(`${prefix}{user.${id}}:record`),
        sessions: await bytes(`${prefix}{user.${id}}:sessions`),
        marks: await Promise.all(marks.map(bytes)),
      };
    });

  const expectUsage = async (usage: Usage, expected: Usage): Promise<void> => {
    const info = await withRedis(async ([master]) => master!.info());
    if (MEASURED_WITH.test(info)) {
      expect(usage).toEqual(expected);
      return;
    }
    const sum = ({ name, record, sessions, marks }: Usage): number =>
      marks.reduce((total, mark) => total + mark, name + record + sessions);
    expect(usage.marks).toHaveLength(expected.marks.length);
    expect(Math.abs(sum(usage) / sum(expected) - 1)).toBeLessThan(TOLERANCE_ELSEWHERE);
  };

  const ONE_MARK = 200;
  const USER = { name: 184, record: 992 };

  it.each([
    [1, 552],
    [2, 880],
    [10, 3664],
  ])('a user with %s sessions in so many bytes', async (count, sessions) => {
    const usage = await usageOf(await userWith(count));

    const marks = Array.from({ length: count }, () => ONE_MARK);
    await expectUsage(usage, { ...USER, sessions, marks });
  });

  it('the digest of the spent token as well after a refresh, and no more after ten', async () => {
    const user = await userWith(1);
    let { refresh_token: token } = user.tokens;
    for (let count = 0; count < 10; count += 1) {
      token = (await api.refresh(token)).body.refresh_token;
    }

    const marks = Array.from({ length: 11 }, () => ONE_MARK);
    await expectUsage(await usageOf(user), { ...USER, sessions: 616, marks });
  });
});
