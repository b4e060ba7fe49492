import { randomUUID } from 'node:crypto';

import {
  GOOD_PASSWORD,
  HttpClient,
  type Answer,
  type TestUser,
  type Tokens,
} from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FAILURES_ALLOWED = 10;

/** All wait for one processor's hashing, and the last one has to be served within its deadline. */
const CONCURRENT_LOGINS = 20;

describe('login', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  const fail = (username: string): ReturnType<TestApp['login']> =>
    api.login(username, 'not the password at all');

  it('answers with tokens named as in RFC 6749', async () => {
    const user = await api.newUser();

    const answer = await api.login(user.username);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
      session_id: expect.any(String),
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('creates a new session each time (46), with an unguessable refresh token (29)', async () => {
    const user = await api.newUser();
    const logins = Array.from({ length: CONCURRENT_LOGINS }, () => api.login(user.username));
    const answers = await Promise.all(logins);

    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(new Set(answers.map((answer) => answer.body.session_id)).size).toBe(CONCURRENT_LOGINS);
    const secrets = answers.map((answer) => answer.body.refresh_token.split('.')[2]!);
    expect(new Set(secrets).size).toBe(CONCURRENT_LOGINS);
    expect(secrets.every((secret) => Buffer.from(secret, 'base64url').length === 32)).toBe(true);
  });

  it('stores no token that it issues (30); all keys expire except names, users, their directory and signing keys (97)', async () => {
    const user = await api.newUser();

    const { keys, values } = await dumpKeys(api.keyPrefix);

    const stored = JSON.stringify(values) + keys.join();
    expect(stored).not.toContain(user.tokens.access_token);
    expect(stored).not.toContain(user.tokens.refresh_token.split('.')[2]);
    // 27: the private key, in any form
    expect(stored).not.toMatch(/"d\\*":/);
    expect(stored).not.toContain('PRIVATE KEY');
    const lasting = await withRedis(async (_, cluster) => {
      const lives = await Promise.all(keys.map((key) => cluster.pttl(key)));
      return keys.filter((__, index) => lives[index] === -1);
    });
    expect(lasting.length).toBeGreaterThan(2);
    for (const key of lasting) {
      expect(key).toMatch(
        /:\{(user\.[^}]+\}:(?:record|password-hash)|name\.[^}]+\}:owner|user-directory\.[0-9a-f]\}:(?:terms|entries|due)|keys\.signing\}:set)$/,
      );
    }
  });

  it('gives the same answer for an unknown user and a wrong password (65)', async () => {
    const user = await api.newUser();

    const [unknown, wrong] = [await fail(`nobody-${randomUUID()}`), await fail(user.username)];

    for (const answer of [unknown, wrong]) {
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ code: 'wrong-credentials' });
    }
    expect({ ...unknown.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
    expect([...unknown.headers.keys()]).toEqual([...wrong.headers.keys()]);
    expect(unknown.headers.get('content-length')).toBe(wrong.headers.get('content-length'));
  });

  it.each([
    ['nothing', {}],
    ['no password', { username: 'ada' }],
    ['an object as password (71)', { username: 'ada', password: { $ne: '' } }],
    ['an array as name (71)', { username: ['ada'], password: GOOD_PASSWORD }],
    ['an unknown member', { username: 'ada', password: GOOD_PASSWORD, sid: 'mine' }],
  ])('answers 400 to %s', async (_, body) => {
    const answer = await api.request('POST', '/api/login', { body });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid-request' });
  });

  it('refuses an account after ten failures, with Retry-After, whatever the spelling (61)', async () => {
    const user = await api.newUser();
    const spellings = [user.username, user.username.toUpperCase(), ` ${user.username}\u200b`];
    for (let attempt = 0; attempt < FAILURES_ALLOWED; attempt += 1) {
      expect((await fail(spellings[attempt % 3]!)).status).toBe(401);
    }

    const refused = await api.login(user.username);

    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'too-many-attempts' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    // 62: existing sessions stay live
    expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
  });

  it('throttles an unknown name in the same way (68)', async () => {
    const username = `nobody-${randomUUID()}`;
    const statuses = [];
    for (let attempt = 0; attempt <= FAILURES_ALLOWED; attempt += 1) {
      statuses.push((await fail(username)).status);
    }

    expect(statuses).toEqual([...Array<number>(FAILURES_ALLOWED).fill(401), 429]);
  });

  it('enforces the limit for concurrent guesses (59)', async () => {
    const user = await api.newUser();
    const answers = await Promise.all(Array.from({ length: 40 }, () => fail(user.username)));

    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES_ALLOWED);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40 - FAILURES_ALLOWED);
  });

  it('forgets the failures of an account after a success', async () => {
    const user = await api.newUser();
    for (let round = 0; round < 2; round += 1) {
      for (let attempt = 0; attempt < FAILURES_ALLOWED - 1; attempt += 1) {
        expect((await fail(user.username)).status).toBe(401);
      }
      expect((await api.login(user.username)).status).toBe(200);
    }
  });

  it('ends only the session of the logout, at once', async () => {
    const user = await api.newUser();
    const other = (await api.login(user.username)).body;

    const answer = await api.request('POST', '/api/logout', { token: user.tokens.access_token });

    expect(answer.status).toBe(204);
    expect((await api.ownUser(user.tokens.access_token)).status).toBe(401);
    expect((await api.ownUser(other.access_token)).status).toBe(200);
  });

  it('accepts a logout with the content type JSON and no body', async () => {
    const user = await api.newUser();

    const answer = await api.request('POST', '/api/logout', {
      token: user.tokens.access_token,
      body: '',
    });

    expect(answer.status).toBe(204);
  });

  it('refuses a refresh token as bearer token (39)', async () => {
    const user = await api.newUser();

    expect((await api.ownUser(user.tokens.refresh_token)).status).toBe(401);
  });
});

describe('a known device', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  const login = async (
    username: string,
    password: string,
    cookie?: string,
  ): Promise<Answer<Tokens>> =>
    api.request('POST', '/api/login', {
      body: { username, password },
      headers: cookie === undefined ? {} : { cookie },
    });
  const cookieOf = ({ headers }: Answer<unknown>): string =>
    headers.get('set-cookie')!.split(';')[0]!;
  const block = async (username: string): Promise<void> => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => login(username, 'not the password at all')),
    );
    expect(answers.map(({ status }) => status)).toContain(429);
    expect((await login(username, GOOD_PASSWORD)).status).toBe(429);
  };

  it('can log in while strangers are blocked, and does not end their block (62)', async () => {
    const user = await api.newUser();
    const cookie = cookieOf(await login(user.username, GOOD_PASSWORD));
    await block(user.username);

    const answer = await login(user.username.toUpperCase(), GOOD_PASSWORD, `theme=dark; ${cookie}`);

    expect(answer.status).toBe(200);
    expect(cookieOf(answer)).not.toBe(cookie);
    // 57: the owner's success on a known device gives strangers no new guesses.
    expect((await login(user.username, GOOD_PASSWORD)).status).toBe(429);
  });

  it('is known only for the account of its login', async () => {
    const [victim, attacker] = [await api.newUser(), await api.newUser()];
    const cookie = cookieOf(await login(attacker.username, GOOD_PASSWORD));
    await block(victim.username);

    expect((await login(victim.username, GOOD_PASSWORD, cookie)).status).toBe(429);
  });

  it('becomes a stranger after ten failures of its own, and no other device does (57)', async () => {
    const user = await api.newUser();
    const [stolen, own] = [
      cookieOf(await login(user.username, GOOD_PASSWORD)),
      cookieOf(await login(user.username, GOOD_PASSWORD)),
    ];
    await block(user.username);

    const guesses = await Promise.all(
      Array.from({ length: 20 }, () => login(user.username, 'not the password at all', stolen)),
    );

    const statuses = guesses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES_ALLOWED);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20 - FAILURES_ALLOWED);
    expect((await login(user.username, GOOD_PASSWORD, own)).status).toBe(200);
  });

  const changePassword = async (
    { tokens }: TestUser,
    currentPassword: string,
    newPassword: string,
  ): Promise<string> => {
    const answer = await api.request('PUT', '/api/user/password', {
      token: tokens.access_token,
      body: { currentPassword, newPassword },
    });
    expect(answer.status).toBe(204);
    return cookieOf(answer);
  };
  const NEW_PASSWORD = 'seven lanterns drift downstream';

  it('becomes a stranger after a password change from another device, because its cookie may have been copied', async () => {
    const user = await api.newUser();
    const stolen = cookieOf(await login(user.username, GOOD_PASSWORD));
    await block(user.username);

    const own = await changePassword(user, GOOD_PASSWORD, NEW_PASSWORD);

    expect((await login(user.username, NEW_PASSWORD, stolen)).status).toBe(429);
    expect((await login(user.username, NEW_PASSWORD, own)).status).toBe(200);
  });

  it('is not blocked by failures with old cookies, before or after a password change', async () => {
    const user = await api.newUser();
    const old: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      old.push(cookieOf(await login(user.username, GOOD_PASSWORD)));
    }
    const failWithAll = async (): Promise<void> => {
      await Promise.all(old.map((cookie) => login(user.username, 'not the password', cookie)));
    };
    await failWithAll();
    const own = await changePassword(user, GOOD_PASSWORD, NEW_PASSWORD);
    await failWithAll();
    await block(user.username);

    // No lane is left for a failure of its own.
    expect((await login(user.username, 'not the password', own)).status).toBe(401);
    expect((await login(user.username, NEW_PASSWORD, own)).status).toBe(200);
  });

  it('is a stranger to another account that gets the name', async () => {
    const user = await api.newUser();
    const cookie = cookieOf(await login(user.username, GOOD_PASSWORD));
    const body = { password: GOOD_PASSWORD };
    const { access_token: token } = user.tokens;
    expect((await api.request('DELETE', '/api/user', { token, body })).status).toBe(204);
    expect((await api.register(user.username)).status).toBe(201);
    await block(user.username);

    expect((await login(user.username, GOOD_PASSWORD, cookie)).status).toBe(429);
  });

  it('needs the password to log in, and gets its cookie only for the right password', async () => {
    const user = await api.newUser();
    const cookie = cookieOf(await login(user.username, GOOD_PASSWORD));

    const read = await api.request('GET', '/api/user', { headers: { cookie } });
    const failed = await login(user.username, 'not the password at all', cookie);

    expect(read.status).toBe(401);
    expect(failed.status).toBe(401);
    expect(failed.headers.get('set-cookie')).toBeNull();
    expect(JSON.stringify(await dumpKeys(api.keyPrefix))).not.toContain(cookie.split('=')[1]);
  });
});

describe('the login limit for addresses', () => {
  it('stops one address that tries many accounts (58), and ignores headers about the address (60)', async () => {
    const api = await startTestApp();
    const user = await api.newUser();
    const { headers } = await api.login(user.username);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    const statuses = new Map<number, number>();
    for (let attempt = 0; attempt < 105; attempt += 1) {
      const answer = await api.request('POST', '/api/login', {
        body: { username: `nobody-${attempt}`, password: 'not the password at all' },
        headers: { 'x-forwarded-for': `10.0.0.${attempt}`, 'x-real-ip': `10.0.0.${attempt}` },
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    }

    expect(Object.fromEntries(statuses)).toEqual({ 401: 100, 429: 5 });
    // A known device at the same address is not blocked (62).
    const body = { username: user.username, password: user.password };
    expect((await api.request('POST', '/api/login', { body })).status).toBe(429);
    expect((await api.request('POST', '/api/login', { body, headers: { cookie } })).status).toBe(
      200,
    );
    await api.close();
  });
});

describe('behind a trusted proxy', () => {
  let api: TestApp;
  // Shared by all tests: each test uses its own addresses.
  beforeAll(async () => (api = await startTestApp({ TRUSTED_PROXIES: '127.0.0.1' })));
  afterAll(async () => api.close());

  it('stores the plain address of a client, or that it is unknown', async () => {
    const user = await api.newUser();
    const sent = ['203.0.113.27:51008', '"[2001:DB8:0:0::1]:443"', '10.9.9.9, a\tline'];
    for (const forwarded of [...sent, '::ffff:203.0.113.9', 'fe80::1%eth0']) {
      await api.request('POST', '/api/login', {
        body: { username: user.username, password: user.password },
        headers: { 'x-forwarded-for': forwarded },
      });
    }

    const { body } = await api.request<{ items: { ip: string }[] }>('GET', '/api/user/sessions', {
      token: user.tokens.access_token,
    });
    const ips = body.items.map(({ ip }) => ip);
    expect(ips).toEqual(
      expect.arrayContaining(['203.0.113.27', '2001:db8::1', 'unknown', '203.0.113.9', 'fe80::1']),
    );
  });

  it('shows and logs the IPv4 address of a client on an IPv6 socket', async () => {
    const api = await Instance.start({ HOST: '::ffff:127.0.0.1', LOG_LEVEL: 'info' });
    const client = new HttpClient(`http://127.0.0.1:${new URL(api.url).port}`);
    const user = await client.newUser();

    const { body } = await client.request<{ items: { ip: string }[] }>(
      ...(['GET', '/api/user/sessions', { token: user.tokens.access_token }] as const),
    );

    expect(body.items.map(({ ip }) => ip)).toEqual(['127.0.0.1']);
    await api.logged();
    expect(api.output()).toContain('"ip":"127.0.0.1"');
    expect(api.output()).not.toContain('"ip":"::ffff:');
    await api.stop();
  });

  it.each(['garbage', '203.0.113.9:5678', '[2001:db8::1]:443', '999.1.1.1'])(
    'logs in a client that is forwarded as %j',
    async (forwarded) => {
      const user = await api.newUser();

      const answer = await api.request('POST', '/api/login', {
        body: { username: user.username, password: user.password },
        headers: { 'x-forwarded-for': forwarded },
      });

      expect(answer.status).toBe(200);
    },
  );
});
