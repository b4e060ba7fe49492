import { randomBytes, randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const ADMIN = 'the-administrator';

describe('a refresh is refused', () => {
  let api: TestApp;
  beforeAll(async () => {
    api = await startTestApp({
      BOOTSTRAP_ADMIN_USERNAME: ADMIN,
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
  });
  afterAll(async () => api.close());

  const refreshed = async (refreshToken: string): Promise<Tokens> => {
    const answer = await api.refresh(refreshToken);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const expectRefused = (answer: Answer<unknown>): void => {
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'invalid-refresh-token' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');
  };

  it('for a made-up token, which ends nothing', async () => {
    const { tokens } = await api.newUser();
    const other = (await api.newUser()).tokens.refresh_token;
    const own = tokens.refresh_token;
    const [userId, sessionId, secret, tag] = own.split('.') as [string, string, string, string];
    const random = randomBytes(32).toString('base64url');
    const madeUp = {
      'another secret': [userId, sessionId, random, tag].join('.'),
      'another tag': [userId, sessionId, secret, other.split('.')[3]].join('.'),
      'another session': [userId, randomUUID(), secret, tag].join('.'),
      'another user': [randomUUID(), sessionId, secret, tag].join('.'),
      'the secret of another user': [userId, sessionId, ...other.split('.').slice(2)].join('.'),
      'no tag': [userId, sessionId, secret].join('.'),
      'something behind': `${own}a`,
      'a line break behind': `${own}\n`,
      capitals: own.toUpperCase(),
      'nothing at all': '',
      'a key of Redis': `*.{user}.${secret}.${tag}`,
    };

    for (const [what, token] of Object.entries(madeUp)) {
      const { status } = await api.refresh(token);
      expect({ what, status }).toEqual({ what, status: 401 });
    }

    expect((await api.ownUser(tokens.access_token)).status).toBe(200);
    await refreshed(own);
    await refreshed(other);
  });

  it('for an access token, and a refresh token is not accepted as one (39)', async () => {
    const { tokens } = await api.newUser();
    expectRefused(await api.refresh(tokens.access_token));

    const next = await refreshed(tokens.refresh_token);

    for (const token of [tokens.refresh_token, next.refresh_token]) {
      expect((await api.ownUser(token)).status).toBe(401);
    }
    expectRefused(await api.refresh(next.access_token));
    expect((await api.ownUser(next.access_token)).status).toBe(200);
  });

  it.each([
    ['nothing', {}, '/refresh_token'],
    ['null (71)', { refresh_token: null }, '/refresh_token'],
    ['a number (71)', { refresh_token: 1 }, '/refresh_token'],
    ['an object (71)', { refresh_token: { $ne: '' } }, '/refresh_token'],
    ['a list (71)', { refresh_token: ['a'] }, '/refresh_token'],
    ['an unknown member', { refresh_token: 'a', session_id: 'mine' }, '/session_id'],
  ])('with 400 for %s', async (_, body, pointer) => {
    const answer = await api.request('POST', '/api/refresh', { body });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] });
  });

  const asAdmin = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const token = (await api.login(ADMIN)).body.access_token;
    return api.request(method, `/api/users/${path}`, { token, body });
  };
  const otherToken = async ({ username }: TestUser): Promise<string> =>
    (await api.login(username)).body.access_token;
  const endings: [string, (user: TestUser) => Promise<Answer>][] = [
    ['a logout (40)', ({ tokens }) => api.logout(tokens.access_token)],
    [
      'the end of the session from another one',
      async (user) =>
        api.request('DELETE', `/api/user/sessions/${user.tokens.session_id}`, {
          token: await otherToken(user),
        }),
    ],
    [
      'the end of all other sessions',
      async (user) =>
        api.request('DELETE', '/api/user/sessions', { token: await otherToken(user) }),
    ],
    [
      'a new password from another session (43)',
      async (user) =>
        api.request('PUT', '/api/user/password', {
          token: await otherToken(user),
          body: { currentPassword: user.password, newPassword: `${user.password}, again` },
        }),
    ],
    [
      'the deletion by the user',
      ({ tokens, password }) =>
        api.request('DELETE', '/api/user', { token: tokens.access_token, body: { password } }),
    ],
    ['the deletion by an administrator (44)', ({ id }) => asAdmin('DELETE', id)],
    ['the end by an administrator (45)', ({ id }) => asAdmin('DELETE', `${id}/sessions`)],
    ['disabling the user (44)', ({ id }) => asAdmin('PATCH', id, { disabled: true })],
  ];

  it.each(endings)('after %s, for every earlier token (35)', async (_, end) => {
    const user = await api.newUser();
    const next = await refreshed(user.tokens.refresh_token);

    expect([200, 204]).toContain((await end(user)).status);

    expectRefused(await api.refresh(next.refresh_token));
    expectRefused(await api.refresh(user.tokens.refresh_token));
    for (const { access_token } of [user.tokens, next]) {
      expect((await api.ownUser(access_token)).status).toBe(401);
    }
  });
});

describe('the refresh limit for addresses', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  it('blocks one address that makes up many tokens (63), but no client with an issued token (62)', async () => {
    api = await startTestApp();
    const { tokens } = await api.newUser();
    const statuses = new Map<number, number>();
    for (let attempt = 0; attempt < 105; attempt += 1) {
      const { status } = await api.refresh(randomUUID());
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }

    expect(Object.fromEntries(statuses)).toEqual({ 401: 100, 429: 5 });
    const refused = await api.refresh(randomUUID());
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    expect((await api.refresh(tokens.refresh_token)).status).toBe(200);
  });
});
