import { startTestApp, type TestApp } from '../support/test-app.js';

describe('the own user', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  it('can be read only with a token', async () => {
    const user = await api.newUser();

    const answer = await api.ownUser(user.tokens.access_token);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: user.id, username: user.username, email: null });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await api.request('GET', '/api/user')).status).toBe(401);
  });

  it('changes the given members, clears those that are null, and keeps the others', async () => {
    const { tokens } = await api.newUser();
    const patch = (body: unknown) =>
      api.request('PATCH', '/api/user', { token: tokens.access_token, body });

    expect((await patch({ email: 'ada@example.com', displayName: 'Ada' })).body).toMatchObject({
      email: 'ada@example.com',
      displayName: 'Ada',
    });
    expect((await patch({ email: null })).body).toMatchObject({ email: null, displayName: 'Ada' });
    const { updatedAt } = (await patch({ displayName: 'Ada' })).body;
    expect((await patch({})).body).toMatchObject({ updatedAt });
    expect((await api.ownUser(tokens.access_token)).body).toMatchObject({
      email: null,
      displayName: 'Ada',
    });
  });

  it('ends all other sessions when its e-mail address changes, and no session when nothing changes (43)', async () => {
    const user = await api.newUser();
    const token = user.tokens.access_token;
    const other = (await api.login(user.username)).body.access_token;
    const patch = (body: unknown) => api.request('PATCH', '/api/user', { token, body });

    await patch({ displayName: 'Ada', email: null });
    expect((await api.ownUser(other)).status).toBe(200);
    expect((await patch({ email: 'ada@example.com' })).status).toBe(200);

    expect((await api.ownUser(other)).status).toBe(401);
    expect((await api.ownUser(token)).status).toBe(200);
    const later = (await api.login(user.username)).body.access_token;
    await patch({ email: 'ada@example.com' });
    expect((await api.ownUser(later)).status).toBe(200);
  });

  it('can request 50 new e-mail addresses in an hour, and other changes as before', async () => {
    const { tokens } = await api.newUser();
    const other = await api.newUser();
    const patch = (body: unknown, token = tokens.access_token) =>
      api.request('PATCH', '/api/user', { token, body });
    const statuses = new Set<number>();
    for (let change = 0; change < 50; change += 1) {
      statuses.add((await patch({ email: `ada-${change}@example.com` })).status);
    }
    expect([...statuses]).toEqual([200]);

    const refused = await patch({ email: 'ada@example.com' });

    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    const own = await patch({ email: 'ada-49@example.com', displayName: 'Ada' });
    expect(own.body).toMatchObject({ email: 'ada-49@example.com', displayName: 'Ada' });
    const ofOther = await patch({ email: 'ada@example.com' }, other.tokens.access_token);
    expect(ofOther.status).toBe(200);
  });

  it.each([
    ['roles', { roles: ['admin'] }],
    ['username', { username: 'root' }],
    ['an invalid e-mail address', { email: 'a@' }],
    ['50 kB of bait (80)', { email: `${'a'.repeat(50_000)}@example.com` }],
    ['a number as name', { displayName: 1 }],
    ['a blank name', { displayName: ' \u00a0 ' }],
    ['a name with a bidirectional override', { displayName: 'gpj.\u202efile' }],
    ['a line break in the name', { displayName: 'a\r\nb' }],
    ['a list as body', []],
    ['text for a body', '"text"'],
  ])('refuses %s and changes nothing', async (_, body) => {
    const { tokens } = await api.newUser();
    const before = await api.ownUser(tokens.access_token);

    const answer = await api.request('PATCH', '/api/user', { token: tokens.access_token, body });

    expect(answer.status).toBe(400);
    expect((await api.ownUser(tokens.access_token)).body).toEqual(before.body);
  });

  it('can be deleted only with the password, and all its sessions end', async () => {
    const user = await api.newUser();
    const other = (await api.login(user.username)).body.access_token;
    const remove = (password: string) =>
      api.request('DELETE', '/api/user', { token: user.tokens.access_token, body: { password } });

    const refused = await remove('not the password at all');
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'wrong-password' });
    expect((await api.ownUser(other)).status).toBe(200);

    expect((await remove(user.password)).status).toBe(204);

    expect((await api.ownUser(user.tokens.access_token)).status).toBe(401);
    expect((await api.ownUser(other)).status).toBe(401);
    expect((await api.login(user.username)).status).toBe(401);
  });

  it('leaves no personal data after its deletion', async () => {
    const { dumpKeys } = await import('../support/redis.js');
    const user = await api.newUser();
    const token = user.tokens.access_token;
    const body = { email: 'to-be-forgotten@example.com' };
    await api.request('PATCH', '/api/user', { token, body });
    expect(JSON.stringify(await dumpKeys(api.keyPrefix))).toContain('to-be-forgotten');

    await api.request('DELETE', '/api/user', { token, body: { password: user.password } });

    const left = JSON.stringify(await dumpKeys(api.keyPrefix));
    expect(left).not.toContain('to-be-forgotten');
    expect(left).not.toContain(user.username);
  });

  it('cannot be deleted by guessing the password with a stolen token', async () => {
    const user = await api.newUser();
    const statuses = [];
    for (let attempt = 0; attempt <= 10; attempt += 1) {
      const { status } = await api.request('DELETE', '/api/user', {
        token: user.tokens.access_token,
        body: { password: `guess number ${attempt}` },
      });
      statuses.push(status);
    }

    expect(statuses).toEqual([...Array<number>(10).fill(403), 429]);
  });

  it('is guarded in every spelling of the path (77)', async () => {
    const { rawHttp, statusOf } = await import('../support/raw-http.js');
    const paths = [
      '/api/user',
      '//api/user',
      '/api//user',
      '/api/user/',
      '/api/user;a',
      '/API/USER',
    ];
    paths.push('/api/%75ser', '/api%2fuser', '/./api/user', `${api.url}/api/user`, '/api/user?x=1');
    for (const path of paths) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await rawHttp(
          api.url,
          `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        );
        expect([400, 401, 404]).toContain(statusOf(answer));
      }
    }
  });
});
