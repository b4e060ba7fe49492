import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { startShippedApp, type TestApp } from '../support/test-app.js';

describe('the login limit for addresses, behind a trusted proxy', () => {
  let api: TestApp;
  // Shared by all tests: each test uses its own addresses.
  beforeAll(async () => (api = await startShippedApp({ TRUSTED_PROXIES: '127.0.0.1' })));
  afterAll(async () => api.close());

  const failFrom = async (forwarded: string, attempt: number): Promise<number> => {
    const { status } = await api.request('POST', '/api/login', {
      body: { username: `nobody-${attempt}`, password: 'not the password at all' },
      headers: { 'x-forwarded-for': forwarded },
    });
    return status;
  };

  it.each([
    [
      'a client and a proxy with ports, behind what the client wrote itself',
      '198.51.100.9, 203.0.113.7:51008, 127.0.0.1:4321',
      '203.0.113.8:51008',
    ],
    ['an IPv6 client with a port', '[2001:db8:1::1]:443', '[2001:db8:2::1]:443'],
  ])('stops one client alone, forwarded as %s', async (_, one, other) => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      // Each request has a port of its own, and what the client writes differs too.
      const sent = one.replace(/51008|443/, String(1024 + attempt)).replace('.9,', `.${attempt},`);
      expect(await failFrom(sent, attempt)).toBe(401);
    }

    expect(await failFrom(one, 100)).toBe(429);
    expect(await failFrom(other, 101)).toBe(401);
  });
});

describe('one address with 100 requests in flight (53)', () => {
  const FLOOD = 100;
  const FLOODER = { 'x-forwarded-for': '10.66.66.66' };

  // In its own process: the flood must not slow down the event loop that serves the others.
  let api: Instance;
  let owner: TestUser;
  let victims: TestUser[];
  beforeAll(async () => {
    api = await Instance.start({
      REDIS_KEY_PREFIX: `t-${randomUUID()}:`,
      TRUSTED_PROXIES: '127.0.0.1',
    });
    owner = await api.newUser();
    victims = [await api.newUser(), await api.newUser(), await api.newUser()];
  });
  afterAll(async () => api.stop());

  it.each<[string, (index: number) => [method: string, path: string, body: object]]>([
    [
      'logins to its own account',
      () => ['POST', '/api/login', { username: owner.username, password: owner.password }],
    ],
    [
      'registrations',
      () => ['POST', '/api/users', { username: `flood-${randomUUID()}`, password: GOOD_PASSWORD }],
    ],
    [
      'changes of the password',
      (index) => [
        'PUT',
        '/api/user/password',
        { currentPassword: owner.password, newPassword: `${GOOD_PASSWORD}, number ${index}` },
      ],
    ],
    ['deletions', () => ['DELETE', '/api/user', { password: 'not the password at all' }]],
  ])('of %s keeps no other address from logging in', async (_, requestOf) => {
    const flood = Array.from({ length: FLOOD }, async (__, index) => {
      const [method, path, body] = requestOf(index);
      const token = owner.tokens.access_token;
      const { status } = await api.request(method, path, { token, body, headers: FLOODER });
      return status;
    });

    const statuses = [];
    for (const [index, { username, password }] of victims.entries()) {
      const { status } = await api.request('POST', '/api/login', {
        body: { username, password },
        headers: { 'x-forwarded-for': `10.0.0.${index}` },
      });
      statuses.push(status);
    }
    const floodStatuses = await Promise.all(flood);

    expect(statuses).toEqual([200, 200, 200]);
    expect(floodStatuses.every((status) => status !== 500)).toBe(true);
  });
});

describe('a storm of logins (53)', () => {
  it('is answered with 503 and Retry-After beyond the capacity, while other requests are served', async () => {
    const api = await startShippedApp({ RATE_LIMIT: 'off' });
    const user = await api.newUser();

    let hashed = 0;
    const storm = Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await api.login(user.username);
        hashed += answer.status === 200 ? 1 : 0;
        return answer;
      }),
    );
    const hashedBefore = [];
    for (let read = 0; read < 5; read += 1) {
      expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
      hashedBefore.push(hashed);
    }
    const answers = await storm;

    // The reads did not wait behind the queued logins.
    expect(hashedBefore.at(-1)).toBeLessThan(hashed);
    const refused = answers.filter((answer) => answer.status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length + answers.filter((answer) => answer.status === 200).length).toBe(200);
    for (const answer of refused) {
      expect(answer.body).toMatchObject({ code: 'overloaded' });
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    await api.close();
  });
});
