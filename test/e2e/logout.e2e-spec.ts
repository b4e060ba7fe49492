import { randomUUID } from 'node:crypto';

import { startDeployment, type Deployment } from '../support/deployment.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { backdateSpentTokens } from '../support/kept-answers.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import type { TestApp } from '../support/test-app.js';

describe('a logout with a refresh token', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment());
  });
  afterAll(async () => stop());

  const logout = async (
    refreshToken: unknown,
    options: { token?: string; at?: TestApp | Instance } = {},
  ): Promise<Answer> => {
    const { at = api, ...rest } = options;
    return at.request('POST', '/api/logout', { ...rest, body: { refresh_token: refreshToken } });
  };
  const expectEnded = async (...generations: Tokens[]): Promise<void> => {
    await expectEverywhere(401, ...generations);
    for (const { refresh_token } of generations) {
      expect((await api.refresh(refresh_token)).status).toBe(401);
    }
  };
  const eventsOf = async ({ session_id }: Tokens, type: string): Promise<unknown[]> =>
    (await other.audited(type)).filter(({ sessionId }) => sessionId === session_id);
  const graceOver = async ({ id: userId, tokens }: TestUser): Promise<void> =>
    backdateSpentTokens(api.keyPrefix, { userId, sessionId: tokens.session_id }, 10_000);

  it('needs no access token, and ends that session at once, on every instance', async () => {
    const user = await api.newUser();
    const another = (await api.login(user.username)).body;
    await expectEverywhere(200, user.tokens, another);

    const answer = await logout(user.tokens.refresh_token, { at: other });

    expect(answer.status).toBe(204);
    await expectEverywhere(401, user.tokens);
    await expectEverywhere(200, another);
    expect((await api.refresh(user.tokens.refresh_token)).status).toBe(401);
    expect((await api.refresh(another.refresh_token)).status).toBe(200);
    expect(await eventsOf(user.tokens, 'logged-out')).toEqual([
      {
        type: 'logged-out',
        result: 'success',
        userId: user.id,
        actor: 'user',
        actorId: user.id,
        actorSessionId: user.tokens.session_id,
        sessionId: user.tokens.session_id,
        ip: '127.0.0.1',
        requestId: expect.any(String) as unknown,
      },
    ]);
  });

  it.each(['within its grace period', 'after its grace period'])(
    'ends the session even if the token is already spent (%s), and reports no token reuse',
    async (when) => {
      const user = await api.newUser();
      const generations = [user.tokens];
      for (let count = 0; count < 2; count += 1) {
        generations.push((await api.refresh(generations.at(-1)!.refresh_token)).body);
      }
      await expectEverywhere(200, ...generations);
      if (when === 'after its grace period') {
        await graceOver(user);
      }

      expect((await logout(user.tokens.refresh_token, { at: other })).status).toBe(204);

      await expectEnded(...generations);
      expect(await eventsOf(user.tokens, 'refresh-token-reused')).toEqual([]);
    },
  );

  it('can be repeated: 204 means that the session has ended, for any reason', async () => {
    const ways: Record<string, (user: TestUser) => Promise<unknown>> = {
      'a logout with it': ({ tokens }) => logout(tokens.refresh_token),
      'a logout with the access token': ({ tokens }) => other.logout(tokens.access_token),
      'a deleted user': ({ tokens, password }) =>
        api.request('DELETE', '/api/user', { token: tokens.access_token, body: { password } }),
      'the end of all others': async ({ username }) => {
        const { access_token: token } = (await api.login(username)).body;
        return api.request('DELETE', '/api/user/sessions', { token });
      },
    };
    for (const [way, end] of Object.entries(ways)) {
      const user = await api.newUser();
      expect(await end(user)).toMatchObject({ status: 204 });
      for (const at of [api, other, api]) {
        const { status } = await logout(user.tokens.refresh_token, { at });
        expect({ way, status }).toEqual({ way, status: 204 });
      }
      await expectEnded(user.tokens);
    }
  });

  it('that is sent many times at once is recorded once, and answered 204 each time', async () => {
    const user = await api.newUser();

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        logout(user.tokens.refresh_token, { at: index % 2 ? api : other }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(20).fill(204));
    await expectEnded(user.tokens);
  });

  it('with a concurrent refresh leaves no valid token', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { tokens } = await api.newUser();

      const [ended, ...refreshed] = await Promise.all([
        logout(tokens.refresh_token),
        other.refresh(tokens.refresh_token),
        api.refresh(tokens.refresh_token),
      ]);

      expect(ended.status).toBe(204);
      const issued = refreshed.filter(({ status }) => status === 200).map(({ body }) => body);
      await expectEnded(tokens, ...issued);
    }
  });

  it('uses the refresh token, even if the request has a valid or invalid access token', async () => {
    const [one, two] = [await api.newUser(), await api.newUser()];
    for (const token of [two.tokens.access_token, 'rubbish', `${one.tokens.access_token}x`]) {
      const { tokens } = await api.newUser();
      expect((await logout(tokens.refresh_token, { token })).status).toBe(204);
      await expectEnded(tokens);
    }
    await expectEverywhere(200, one.tokens, two.tokens);
    // A valid access token does not help if the body names no session.
    expect((await logout('made-up', { token: one.tokens.access_token })).status).toBe(401);
    await expectEverywhere(200, one.tokens);
  });

  it('that is made up ends nothing, and counts for the address limit', async () => {
    const { tokens } = await api.newUser();
    const [userId, sessionId, bits] = tokens.refresh_token.split('.');
    for (const forged of ['', 'x', `${userId}.${sessionId}.${bits}.${'A'.repeat(22)}`]) {
      const answer = await logout(forged);
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid-refresh-token' } });
    }
    await expectEverywhere(200, tokens);

    let last: Answer | undefined;
    for (let attempt = 0; attempt < 120 && last?.status !== 429; attempt += 1) {
      last = await logout(`made-up-${randomUUID()}`);
    }
    expect(last).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(0);
    // 429 only for made-up tokens: an issued token still ends its session.
    expect((await logout(tokens.refresh_token)).status).toBe(204);
    await expectEnded(tokens);
  });

  it('is validated like any other body', async () => {
    const { tokens } = await api.newUser();
    const { access_token: token, refresh_token } = tokens;
    for (const [body, pointer, code] of [
      [{ refresh_token: null }, '/refresh_token', 'not-a-string'],
      [{ refresh_token: [refresh_token] }, '/refresh_token', 'not-a-string'],
      [{ refresh_token, all: true }, '/all', 'unknown-member'],
      [{ refreshToken: refresh_token }, '/refreshToken', 'unknown-member'],
      [[refresh_token], '', 'not-an-object'],
      ['null', '', 'not-an-object'],
      ['"text"', '', 'not-an-object'],
    ] as const) {
      for (const options of [{ body }, { body, token }]) {
        const answer = await api.request('POST', '/api/logout', options);
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
        expect(answer.body['errors']).toContainEqual(expect.objectContaining({ pointer, code }));
      }
    }
    const form = rawRequest(
      'POST',
      '/api/logout',
      ['Content-Type: application/x-www-form-urlencoded'],
      `refresh_token=${refresh_token}`,
    );
    expect(statusOf(await rawHttp(api.url, form))).toBe(415);
    await expectEverywhere(200, tokens);
  });
});

describe('a logout without a refresh token', () => {
  let api: TestApp;
  let stop: Deployment['stop'];
  beforeAll(async () => ({ api, stop } = await startDeployment()));
  afterAll(async () => stop());

  it.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['an empty body', ''],
  ])('requires an access token, like every guarded route: %s', async (_, body) => {
    const send = async (token?: string): Promise<Answer> =>
      api.request('POST', '/api/logout', {
        ...(token === undefined ? {} : { token }),
        ...(body === undefined ? {} : { body }),
      });
    const { tokens } = await api.newUser();
    expect(await send()).toMatchObject({ status: 401, body: { code: 'missing-token' } });
    expect(await send('rubbish')).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
    const answer = await send(tokens.refresh_token);
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect((await api.ownUser(tokens.access_token)).status).toBe(200);

    expect((await send(tokens.access_token)).status).toBe(204);

    expect((await api.ownUser(tokens.access_token)).status).toBe(401);
    expect((await send(tokens.access_token)).status).toBe(401);
  });
});

describe('a logout after the access token expired', () => {
  let api: TestApp;
  let stop: Deployment['stop'];
  beforeAll(async () => ({ api, stop } = await startDeployment({ ACCESS_TOKEN_TTL: '1s' })));
  afterAll(async () => stop());

  it('ends the session with its refresh token, with or without the expired access token', async () => {
    for (const isSentAlong of [false, true]) {
      const { tokens } = await api.newUser();
      const { access_token: token, refresh_token } = tokens;
      let status = 200;
      for (const end = Date.now() + 5000; status === 200 && Date.now() < end;) {
        ({ status } = await api.ownUser(token));
      }
      expect(status).toBe(401);
      const answer = await api.request('POST', '/api/logout', {
        body: { refresh_token },
        ...(isSentAlong ? { token } : {}),
      });
      expect(answer.status).toBe(204);
      expect((await api.refresh(refresh_token)).status).toBe(401);
    }
  });
});
