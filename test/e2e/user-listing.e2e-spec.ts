import { jest } from '@jest/globals';

import type { AppExtensions } from '../../src/app.module.js';
import { AuditLog } from '../../src/audit/index.js';
import { InMemoryUserStore } from '../../src/contracts/index.js';
import { UserStoreUnavailableError } from '../../src/users/index.js';
import {
  startAdministration,
  WITH_ADMINISTRATOR,
  type Administration,
} from '../support/deployment.js';
import { asOperator, runCommand } from '../support/command.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

interface Page {
  readonly items: readonly { readonly id: string; readonly username: string }[];
  readonly nextCursor: string | null;
}

const ADMINISTRATOR = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;

describe('listing users', () => {
  let api: TestApp;
  let other: Instance;
  let admin: Tokens;
  let asAdmin: Administration['asAdmin'];
  let stop: Administration['stop'];
  beforeAll(async () => {
    ({ api, other, admin, asAdmin, stop } = await startAdministration());
  });
  afterAll(async () => stop());

  /** The names of a test begin with letters of its own, in any order of tests. */
  let tests = 0;
  let own: string;
  beforeEach(() => {
    tests += 1;
    own = `${String.fromCharCode(96 + tests)}q`;
  });

  const listOf = async (
    parameters: Record<string, string>,
    token = admin.access_token,
  ): Promise<Answer<Page & { code?: string; errors?: unknown }>> =>
    other.request('GET', `/api/users?${new URLSearchParams(parameters).toString()}`, { token });
  /** The names on all pages. */
  const namesOf = async (parameters: Record<string, string> = {}): Promise<string[]> => {
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer<Page> = await listOf({ ...parameters, ...(cursor && { cursor }) });
      expect(page.status).toBe(200);
      names.push(...page.body.items.map(({ username }) => username));
      cursor = page.body.nextCursor;
    }
    return names;
  };
  const change = async ({ id }: TestUser, body: object): Promise<void> => {
    expect((await asAdmin('PATCH', id, body)).status).toBe(200);
  };

  it('has every user on one of the pages, in the order of the names, on all instances', async () => {
    const names = [`${own}zoe`, `${own.toUpperCase()}Ada`, `${own}ben`, `${own}ada-2`];
    await Promise.all(names.map(async (name) => api.newUser(name)));

    const [zoe, ada, ben, ada2] = names;
    expect(await namesOf({ q: own, limit: '1' })).toEqual([ada, ada2, ben, zoe]);
    expect(await namesOf({ q: own })).toEqual([ada, ada2, ben, zoe]);
    expect(await namesOf({ limit: '3' })).toEqual(await namesOf());
    expect(await namesOf()).toEqual(expect.arrayContaining([...names, ADMINISTRATOR]));
    const [first] = (await listOf({ limit: '1' })).body.items;
    expect(first).toEqual((await asAdmin('GET', first!.id)).body);
  });

  it('finds users by name, address, role and state, as they are when a change returns', async () => {
    const names = [`${own}ada`, `x${own}ben`, `${own}cy`];
    const [ada, ben, cy] = await Promise.all(names.map(async (name) => api.newUser(name)));
    await change(ben!, { email: `${own.toUpperCase()}ADA@example.com`, roles: ['admin'] });
    await change(cy!, { disabled: true });

    expect(await namesOf({ q: `${own}AD`, limit: '1' })).toEqual([names[0], names[1]]);
    expect(await namesOf({ q: own, role: 'admin' })).toEqual([names[1]]);
    expect(await namesOf({ role: 'admin' })).toEqual([ADMINISTRATOR, names[1]].sort());
    expect(await namesOf({ disabled: 'true' })).toEqual([names[2]]);
    expect(await namesOf({ disabled: 'false', q: `${own}c` })).toEqual([]);

    await change(ben!, { email: null, roles: [] });
    await change(cy!, { disabled: false });
    expect((await asAdmin('DELETE', ada!.id)).status).toBe(204);

    expect(await namesOf({ q: `${own}ad` })).toEqual([]);
    expect(await namesOf({ role: 'admin' })).toEqual([ADMINISTRATOR]);
    expect(await namesOf({ disabled: 'true' })).toEqual([]);
    expect(await namesOf({ q: own })).toEqual([names[2]]);
  });

  it('lists users who stay exactly once while others come and go', async () => {
    const staying = ['b', 'd', 'f', 'h', 'j', 'l'].map((name) => own + name);
    await Promise.all(staying.map(async (name) => api.newUser(name)));
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let round = 0; cursor !== null; round += 1) {
      const guest: TestUser = await api.newUser(`${own}e-guest-${round}`);
      const page: Answer<Page> = await listOf({ q: own, limit: '1', ...(cursor && { cursor }) });
      seen.push(...page.body.items.map(({ username }) => username));
      cursor = page.body.nextCursor;
      expect((await asAdmin('DELETE', guest.id)).status).toBe(204);
    }

    expect(seen.filter((name) => staying.includes(name))).toEqual(staying);
  });

  it('requires the permission users:read', async () => {
    const { tokens } = await api.newUser();

    expect((await listOf({}, tokens.access_token)).body.code).toBe('forbidden');
    expect((await other.request('GET', '/api/users')).status).toBe(401);
  });

  it.each([
    ['/limit', { limit: '0' }],
    ['/limit', { limit: '101' }],
    ['/limit', { limit: 'many' }],
    ['/limit', { limit: '1e1' }],
    ['/cursor', { cursor: 'made up' }],
    ['/cursor', { cursor: 'WzksbnVsbCxudWxsXQ' }],
    ['/q', { q: 'a\u0000' }],
    ['/disabled', { disabled: 'perhaps' }],
    ['/sort', { sort: 'age' }],
  ])('names what is wrong in %s of %j', async (pointer, parameters) => {
    const { status, body } = await listOf(parameters);

    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid-request' });
    expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('includes users of an earlier version after keyslot users reindex', async () => {
    const { username } = await api.newUser(`${own}ada`);
    const before = await namesOf();
    await withRedis(async (_, cluster) => {
      const prefix = `${api.keyPrefix}v1:{user-directory.`;
      await Promise.all(
        Array.from('0123456789abcdef', async (partition) =>
          Promise.all(
            ['terms', 'entries'].map(async (part) => cluster.del(`${prefix}${partition}}:${part}`)),
          ),
        ),
      );
    });
    expect(await namesOf()).toEqual([]);

    const { stdout } = await runCommand(['users', 'reindex'], {
      variables: asOperator(api.keyPrefix),
    });

    expect(stdout).toMatch(/^Checked the directory entries of \d+ users\.\n$/);
    expect(before).toContain(username);
    expect(await namesOf()).toEqual(before);
  });
});

describe('listing users of another store', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  const listFrom = async (
    userDirectory: AppExtensions['userDirectory'],
    query = '',
    users = new InMemoryUserStore(),
  ): Promise<Answer<Page & { code?: string }>> => {
    const extensions = { userStore: { useValue: users }, ...(userDirectory && { userDirectory }) };
    api = await startTestApp(WITH_ADMINISTRATOR, extensions);
    return list(query);
  };
  const list = async (query: string): Promise<Answer<Page & { code?: string }>> => {
    const { access_token: token } = (await api.login(ADMINISTRATOR)).body;
    return api.request('GET', `/api/users${query}`, { token });
  };
  const failing = (fail: () => Promise<never>): AppExtensions['userDirectory'] => ({
    useValue: { list: fail },
  });

  it('is not supported without a directory', async () => {
    const events = jest.spyOn(AuditLog.prototype, 'record');

    const { status, body } = await listFrom(undefined);

    expect({ status, code: body.code }).toEqual({ status: 501, code: 'listing-not-supported' });
    expect(events.mock.calls.map(([{ type }]) => type)).not.toContain('users-listed');
    events.mockRestore();
  });

  it('asks the directory of the application, with the conditions and the cursor', async () => {
    const users = new InMemoryUserStore();
    const first = await listFrom({ useValue: users }, '', users);
    expect(first.body.items).toEqual([expect.objectContaining({ username: ADMINISTRATOR })]);
    await Promise.all(['ada', 'ben', 'cy'].map(async (name) => api.newUser(name)));

    const page = await list('?limit=2');
    expect(page.body.items.map(({ username }) => username)).toEqual(['ada', 'ben']);
    const rest = await list(`?limit=2&cursor=${page.body.nextCursor}`);
    expect(rest.body.items.map(({ username }) => username)).toEqual(['cy', ADMINISTRATOR]);
    expect(rest.body.nextCursor).toBeNull();
    expect((await list('?q=B&role=admin')).body.items).toEqual([]);
    expect((await list('?cursor=x')).status).toBe(400);
  });

  it('answers 503 while the directory is unavailable or silent, and 500 after a defect', async () => {
    let fail = async (): Promise<never> => Promise.reject(new UserStoreUnavailableError('away'));
    const away = await listFrom(failing(async () => fail()));
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toMatch(/^\d+$/);

    fail = async () => new Promise(() => undefined);
    const begin = performance.now();
    expect((await list('')).status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(3000);

    fail = async () => Promise.reject(new Error('row of ada@example.com'));
    const defect = await list('');
    expect(defect.status).toBe(500);
    expect(JSON.stringify(defect.body)).not.toContain('ada');
  });
});
