import { randomUUID } from 'node:crypto';

import { startDeployment, type Deployment } from '../support/deployment.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

interface ListedSession {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly current: boolean;
}

const list = async (api: TestApp, token: string): Promise<ListedSession[]> => {
  const answer = await api.request<{ items: ListedSession[] }>('GET', '/api/user/sessions', {
    token,
  });
  expect(answer.status).toBe(200);
  return answer.body.items;
};
const listedIds = async (api: TestApp, token: string): Promise<string[]> =>
  (await list(api, token)).map(({ id }) => id).sort();

describe('the own sessions', () => {
  let api: TestApp;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, expectEverywhere, stop } = await startDeployment());
  });
  afterAll(async () => stop());

  /** Logs in with custom headers. */
  const loginWith = async (
    { username, password }: TestUser,
    headers: Record<string, string>,
    query = '',
  ): Promise<Answer<Tokens>> =>
    api.request('POST', `/api/login${query}`, { body: { username, password }, headers });
  const loginTimes = async ({ username }: TestUser, times: number): Promise<Tokens[]> => {
    const logins = [];
    for (let time = 0; time < times; time += 1) {
      logins.push((await api.login(username)).body);
    }
    return logins;
  };
  const end = async (token: string, id: string): Promise<Answer> =>
    api.request('DELETE', `/api/user/sessions/${id}`, { token });

  it('are listed with the device of each login (45)', async () => {
    const user = await api.newUser();
    const phone = (await loginWith(user, { 'user-agent': 'A phone/1.0' })).body;
    // Another client with the same token: the list still shows the device of the login.
    const headers = { 'user-agent': 'A thief', 'x-forwarded-for': '203.0.113.7' };
    await api.request('GET', '/api/user', { token: phone.access_token, headers });

    const answer = await api.request('GET', '/api/user/sessions', { token: phone.access_token });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const items = answer.body['items'] as ListedSession[];
    expect(Object.keys(answer.body)).toEqual(['items']);
    expect(items).toHaveLength(2);
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const times = { createdAt: moment, lastUsedAt: moment };
    const ip = '127.0.0.1';
    expect(items).toContainEqual({
      id: phone.session_id,
      ...times,
      ip,
      userAgent: 'A phone/1.0',
      current: true,
    });
    expect(items).toContainEqual({
      id: user.tokens.session_id,
      ...times,
      ip,
      userAgent: 'node',
      current: false,
    });
    for (const { createdAt, lastUsedAt } of items) {
      expect(Math.abs(Date.now() - Date.parse(createdAt))).toBeLessThan(60_000);
      expect(Date.parse(lastUsedAt)).toBeGreaterThanOrEqual(Date.parse(createdAt));
    }
  });

  it('have a user agent of limited length', async () => {
    const user = await api.newUser();
    const { body } = await loginWith(user, { 'user-agent': `A long one ${'x'.repeat(8000)}` });

    const listed = await list(api, body.access_token);

    expect(listed.find(({ current }) => current)?.userAgent).toMatch(/^A long one x{100,245}$/);
  });

  it('keep their ids after a refresh', async () => {
    const user = await api.newUser();
    const before = await list(api, user.tokens.access_token);

    const { body } = await api.refresh(user.tokens.refresh_token);

    const [session, ...others] = await list(api, body.access_token);
    expect(others).toEqual([]);
    expect(session).toEqual({ ...before[0], lastUsedAt: session!.lastUsedAt });
  });

  it('can be ended individually: the tokens are refused at once on every instance, and other sessions stay live', async () => {
    const user = await api.newUser();
    const [one, two] = (await loginTimes(user, 2)) as [Tokens, Tokens];
    await expectEverywhere(200, user.tokens, one, two);

    expect((await end(user.tokens.access_token, one.session_id)).status).toBe(204);

    await expectEverywhere(401, one);
    await expectEverywhere(200, user.tokens, two);
    expect((await api.refresh(one.refresh_token)).status).toBe(401);
    expect(await listedIds(api, two.access_token)).toEqual(
      [user.tokens.session_id, two.session_id].sort(),
    );
    // An ended session cannot be ended again.
    expect((await end(user.tokens.access_token, one.session_id)).status).toBe(404);
  });

  it('include the current one, which can end itself', async () => {
    const { tokens } = await api.newUser();
    await expectEverywhere(200, tokens);

    expect((await end(tokens.access_token, tokens.session_id.toUpperCase())).status).toBe(204);

    await expectEverywhere(401, tokens);
  });

  it('do not include those of others: they get the same 404 as unknown and malformed ids (45, 69)', async () => {
    const user = await api.newUser();
    const victim = await api.newUser();
    const ids = [victim.tokens.session_id, victim.id, user.id, randomUUID(), 'current', '*', '%00'];
    const answers = await Promise.all(ids.map((id) => end(user.tokens.access_token, id)));

    const described = answers.map(({ status, headers, body }) => ({
      status,
      headers: [...headers.keys()],
      body: { ...body, requestId: '', instance: '' },
    }));
    expect(new Set(described.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(described[0]).toMatchObject({ status: 404, body: { code: 'not-found' } });
    await expectEverywhere(200, victim.tokens, user.tokens);
    expect((await api.refresh(victim.tokens.refresh_token)).status).toBe(200);
  });

  it('can all be ended, except the current one, with one call', async () => {
    const user = await api.newUser();
    const stranger = await api.newUser();
    const others = await loginTimes(user, 3);
    await expectEverywhere(200, user.tokens, stranger.tokens, ...others);
    const endOthers = (): Promise<Answer> =>
      api.request('DELETE', '/api/user/sessions', { token: user.tokens.access_token });

    expect((await endOthers()).status).toBe(204);

    await expectEverywhere(401, ...others);
    await expectEverywhere(200, user.tokens, stranger.tokens);
    for (const { refresh_token } of others) {
      expect((await api.refresh(refresh_token)).status).toBe(401);
    }
    expect(await listedIds(api, user.tokens.access_token)).toEqual([user.tokens.session_id]);
    expect((await endOthers()).status).toBe(204);
    // This session stays live, and new sessions can start.
    const { body: next } = await api.refresh(user.tokens.refresh_token);
    await expectEverywhere(200, next, ...(await loginTimes(user, 1)));
  });

  it('never have an id that the client chose (46)', async () => {
    const user = await api.newUser();
    const id = randomUUID();
    const named = { 'x-session-id': id, cookie: `session_id=${id}; sid=${id}` };
    const { body } = await loginWith(user, named, `?session_id=${id}&sid=${id}`);
    expect(body.session_id).not.toBe(id);
    // A login does not continue an older session either.
    const again = await api.request<Tokens>('POST', '/api/login', {
      token: user.tokens.access_token,
      body: { username: user.username, password: user.password },
    });
    expect(again.status).toBe(200);
    expect([id, user.tokens.session_id, body.session_id]).not.toContain(again.body.session_id);

    for (const member of ['session_id', 'sid', 'jti', 'refresh_token']) {
      const credentials = { username: user.username, password: user.password };
      const answer = await api.request('POST', '/api/login', {
        body: { ...credentials, [member]: id },
      });
      expect(answer.status).toBe(400);
    }
    expect(await listedIds(api, body.access_token)).not.toContain(id);
  });

  it('are not accessible without a token', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['DELETE', `/${randomUUID()}`],
    ] as const) {
      const answer = await api.request(method, `/api/user/sessions${path}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');
    }
  });
});

describe('an unused session (37)', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  it('expires after the idle lifetime; a session in use stays live', async () => {
    api = await startTestApp({ REFRESH_TOKEN_TTL: '2s' });
    const user = await api.newUser();
    const used = user.tokens;
    const begin = performance.now();
    const unused = (await api.login(user.username)).body;
    expect(await listedIds(api, used.access_token)).toContain(unused.session_id);

    await eventually('it is over', 10_000, async () => {
      return !(await listedIds(api, used.access_token)).includes(unused.session_id);
    });

    expect(performance.now() - begin).toBeGreaterThan(1900);
    expect((await api.ownUser(unused.access_token)).status).toBe(401);
    expect((await api.refresh(unused.refresh_token)).status).toBe(401);
    const gone = await api.request('DELETE', `/api/user/sessions/${unused.session_id}`, {
      token: used.access_token,
    });
    expect(gone.status).toBe(404);
    expect((await api.refresh(used.refresh_token)).status).toBe(200);
  });
});

describe('a session past its maximum age (37)', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  it('expires even if it is in use', async () => {
    api = await startTestApp({ SESSION_MAX_AGE: '1s' });
    const { username } = await api.newUser();
    const begin = performance.now();
    const { body: session } = await api.login(username);

    await eventually('it is over', 10_000, async () => {
      return (await api.ownUser(session.access_token)).status === 401;
    });

    expect(performance.now() - begin).toBeGreaterThan(900);
    expect((await api.refresh(session.refresh_token)).status).toBe(401);
    const { body: next } = await api.login(username);
    expect(await listedIds(api, next.access_token)).toEqual([next.session_id]);
  });
});

describe('the limit on sessions per user (46)', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  it('holds for 20 concurrent logins: the oldest sessions are evicted', async () => {
    // Without rate limits, so that no login is delayed.
    api = await startTestApp({ SESSIONS_PER_USER: '5', RATE_LIMIT: 'off' });
    const user = await api.newUser();

    const logins = await Promise.all(Array.from({ length: 20 }, () => api.login(user.username)));

    expect(logins.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
    const all = logins.map(({ body }) => body).concat(user.tokens);
    const alive = [];
    for (const session of all) {
      if ((await api.ownUser(session.access_token)).status === 200) {
        alive.push(session);
      }
    }
    expect(alive).toHaveLength(5);
    const ids = alive.map(({ session_id }) => session_id).sort();
    expect(await listedIds(api, alive[0]!.access_token)).toEqual(ids);
    const refreshed = await Promise.all(all.map(({ refresh_token }) => api.refresh(refresh_token)));
    expect(refreshed.filter(({ status }) => status === 200)).toHaveLength(5);
  });
});
