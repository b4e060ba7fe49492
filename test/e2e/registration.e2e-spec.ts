import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD } from '../support/http-client.js';
import { startShippedApp, startTestApp, type TestApp } from '../support/test-app.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('registration', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  const register = (body: unknown) => api.request('POST', '/api/users', { body });

  it('answers 201 with the user and its location', async () => {
    const answer = await register({
      username: 'Grace',
      password: GOOD_PASSWORD,
      email: 'grace@example.com',
      displayName: 'Grace Hopper',
    });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(UUID),
      username: 'Grace',
      email: 'grace@example.com',
      emailVerified: false,
      displayName: 'Grace Hopper',
      roles: [],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(answer.headers.get('location')).toBe(`/api/users/${String(answer.body['id'])}`);
    expect(Math.abs(Date.parse(String(answer.body['createdAt'])) - Date.now())).toBeLessThan(
      60_000,
    );
  });

  it('accepts one of 50 concurrent registrations of a name, and refuses the others with 409', async () => {
    const username = `race-${randomUUID()}`;
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.register(username)));

    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(49);
    expect((await api.login(username)).status).toBe(200);
  });

  it.each([
    ['capital letters', 'ADA-LOVELACE'],
    ['wide letters', 'ａｄａ-lovelace'],
    ['surrounding space', '  ada-lovelace '],
    ['characters that cannot be seen', 'ada\u200b-love\u00adlace'],
  ])('treats a name with %s as the same name', async (_, variant) => {
    await api.register('ada-lovelace');

    expect((await api.register(variant)).status).toBe(409);
    expect((await api.login(variant)).status).toBe(200);
  });

  it('accepts the name of a deleted user', async () => {
    const first = await api.newUser();
    const deleted = await api.request('DELETE', '/api/user', {
      token: first.tokens.access_token,
      body: { password: first.password },
    });
    expect(deleted.status).toBe(204);

    const second = await api.register(first.username);

    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.id);
  });

  it('reports every failed rule with a pointer, a code and a text', async () => {
    const answer = await register({
      username: 1,
      password: null,
      email: 'nowhere',
      displayName: '',
    });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid-request' });
    expect(answer.body['errors']).toEqual([
      { pointer: '/username', code: 'not-a-string', detail: 'Must be a string.' },
      { pointer: '/password', code: 'not-a-string', detail: 'Must be a string.' },
      { pointer: '/email', code: 'not-an-email', detail: 'Must be an e-mail address.' },
      {
        pointer: '/displayName',
        code: 'too-short',
        detail: 'Too short. Minimum number of characters: 1.',
      },
    ]);
  });

  it('reports an invalid name and an invalid password together', async () => {
    const answer = await register({ username: '..', password: 'short' });

    expect(answer.body['errors']).toMatchObject([
      { pointer: '/username', code: 'name-characters' },
      { pointer: '/password', code: 'too-short' },
    ]);
  });

  it('reports an unknown member together with other errors', async () => {
    const answer = await register({ username: 1, password: 2, isAdmin: true });

    expect((answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/isAdmin', '/username', '/password']),
    );
  });

  it.each([
    ['a space inside', 'ada lovelace', 'name-characters'],
    ['a line break', 'ada\nlovelace', 'name-characters'],
    ['a NUL', 'ada\0', 'name-characters'],
    ['signs only', '..', 'name-characters'],
    ['a slash', 'ada/../root', 'name-characters'],
    ['nothing that can be seen', '\u200b ', 'too-short'],
    ['65 letters', 'a'.repeat(65), 'too-long'],
    ['letters of two alphabets', 'p\u0430ypal', 'mixed-scripts'],
  ])('refuses a name with %s', async (_, username, code) => {
    const answer = await api.register(username);

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/username', code }] });
  });

  it.each([
    ['14 characters (47)', 'fourteen-chars', 'too-short'],
    ['257 characters (48)', 'ab '.repeat(100).slice(0, 257), 'too-long'],
    ['a common password twice (51)', 'password1password1', 'password-common'],
    ['a decorated common password (51)', 'Passw0rd!!2026!!', 'password-common'],
    ['one letter many times (51)', 'aaaaaaaaaaaaaaaaaaaa', 'password-common'],
    ['the user name, decorated (51)', '**margaret-hamilton**', 'password-common'],
  ])('refuses a password of %s', async (_, password, code) => {
    const answer = await api.register('margaret-hamilton', password);

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/password', code }] });
  });

  it.each([
    ['256 characters (48)', 'violet engines hum at dawn '.repeat(10).slice(0, 256)],
    ['spaces at both ends (50)', '  violet engines hum  '],
    ['emoji and other scripts (49)', '🚲🚲🚲 紫罗兰的引擎在黎明时分嗡嗡作响'],
  ])('accepts a password of %s, without changing it', async (_, password) => {
    const username = `user-${randomUUID()}`;

    expect((await api.register(username, password)).status).toBe(201);
    expect((await api.login(username, password)).status).toBe(200);
    expect((await api.login(username, password.trim().slice(0, -1))).status).toBe(401);
  });

  it('accepts both Unicode normal forms of the same password', async () => {
    const username = `user-${randomUUID()}`;
    await api.register(username, 'caf\u00e9 au lait, s\u2019il vous pla\u00eet');

    const decomposed = 'cafe\u0301 au lait, s\u2019il vous plai\u0302t';

    expect((await api.login(username, decomposed)).status).toBe(200);
  });

  it.each(['roles', 'isAdmin', 'id', 'emailVerified', 'passwordHash'])(
    'refuses a member that the caller may not set: %s (70)',
    async (member) => {
      const answer = await register({
        username: `user-${randomUUID()}`,
        password: GOOD_PASSWORD,
        [member]: ['admin'],
      });

      expect(answer.status).toBe(400);
    },
  );

  it('stores no password and no name in plain text', async () => {
    const { dumpKeys } = await import('../support/redis.js');
    const username = `user-${randomUUID()}`;
    const shipped = await startShippedApp();
    await shipped.register(username);

    const dump = await dumpKeys(shipped.keyPrefix);
    await shipped.close();

    expect(dump.keys.join('\n')).not.toContain(username);
    expect(JSON.stringify(dump.values)).not.toContain(GOOD_PASSWORD);
    // 52: OWASP's parameters for Argon2id
    expect(JSON.stringify(dump.values)).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  });

  it('refuses all registrations when it is closed', async () => {
    const closed = await startTestApp({ REGISTRATION: 'closed' });

    const answer = await closed.register('nobody');

    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ code: 'registration-closed' });
    await closed.close();
  });
});

describe('registration from one address', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp({ TRUSTED_PROXIES: '127.0.0.1' })));
  afterAll(async () => api.close());

  it('is refused with 429 after a thousand registrations, counted separately for each address (63)', async () => {
    const from = async (ip: string, username: string) =>
      api.request('POST', '/api/users', {
        body: { username, password: GOOD_PASSWORD },
        headers: { 'x-forwarded-for': ip },
      });
    // An invalid request registers nobody and does not count.
    expect((await from('192.0.2.1', '')).status).toBe(400);
    expect((await from('192.0.2.1', 'the-first')).status).toBe(201);
    for (let round = 0; round < 37; round += 1) {
      const answers = Array.from({ length: 27 }, () => from('192.0.2.1', 'the-first'));
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(
        Array<number>(27).fill(409),
      );
    }

    const refused = await from('192.0.2.1', 'one-too-many');

    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'too-many-attempts' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect((await from('192.0.2.2', 'one-too-many')).status).toBe(201);
  });
});
