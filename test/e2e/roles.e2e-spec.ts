import { resolve } from 'node:path';

import type { AuditEvent } from '../../src/audit/index.js';
import { MAX_PERMISSIONS } from '../../src/common/authentication/index.js';
import { PERMISSIONS } from '../../src/common/authentication/permissions.js';
import { MAX_STORED_ROLES } from '../../src/roles/write/index.js';
import { afterPause } from '../support/after-pause.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, HttpClient, TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SERVICE = resolve('test/e2e/guarded-service.mjs');

const tokenOf = ({ tokens }: TestUser): string => tokens.access_token;

describe('the roles of a cluster', () => {
  let api: TestApp;
  let other: Instance;
  /** A service with the guard only, whose route requires the permission notes:review. */
  let service: Instance;
  let root: string;
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR);
    [other, service] = await Promise.all([
      Instance.start({ REDIS_KEY_PREFIX: api.keyPrefix }),
      Instance.start({ REDIS_KEY_PREFIX: api.keyPrefix }, SERVICE),
    ]);
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
  });
  afterAll(async () => {
    await Promise.all([other.stop(), service.stop()]);
    await api.close();
  });

  const put = async (name: string, ...permissions: string[]): Promise<number> =>
    (await api.request('PUT', `/api/roles/${name}`, { token: root, body: { permissions } })).status;
  const remove = async (name: string): Promise<number> =>
    (await api.request('DELETE', `/api/roles/${name}`, { token: root })).status;
  const give = async ({ id }: TestUser, ...roles: string[]): Promise<Answer> =>
    api.request('PATCH', `/api/users/${id}`, { token: root, body: { roles } });
  const userWith = async (...roles: string[]): Promise<TestUser> => {
    const user = await api.newUser();
    expect((await give(user, ...roles)).status).toBe(200);
    return user;
  };
  /** The status of a route that requires roles:read. */
  const listRoles = async (at: HttpClient, user: TestUser): Promise<number> =>
    (await at.request('GET', '/api/roles', { token: tokenOf(user) })).status;
  /** The status of the route of the service. */
  const review = async (user: TestUser): Promise<number> =>
    (await service.request('GET', '/notes/drafts', { token: tokenOf(user) })).status;

  it('can be created, read, replaced and deleted', async () => {
    expect(await put('order-clerk', 'orders:write', 'orders:read', 'orders:read')).toBe(204);
    const clerk = {
      name: 'order-clerk',
      permissions: ['orders:read', 'orders:write'],
      requireSecondFactor: false,
      source: 'stored',
    };
    const admin = {
      name: 'admin',
      permissions: [...PERMISSIONS, 'orders:read', 'orders:write'].sort(),
      source: 'built-in',
    };
    for (const instance of [api, other]) {
      const list = await instance.request('GET', '/api/roles', { token: root });
      expect(list).toMatchObject({ status: 200, body: { items: [admin, clerk] } });
      const one = await instance.request('GET', '/api/roles/order-clerk', { token: root });
      expect(one).toMatchObject({ status: 200, body: clerk });
    }

    expect(await put('order-clerk')).toBe(204);
    const read = await other.request('GET', '/api/roles/order-clerk', { token: root });
    expect(read.body).toEqual({ ...clerk, permissions: [] });

    expect(await remove('order-clerk')).toBe(204);
    const gone = await other.request('GET', '/api/roles/order-clerk', { token: root });
    expect(gone).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await remove('order-clerk')).toBe(404);
  });

  it('can be given to users once they exist, although no code defines them', async () => {
    const user = await api.newUser();
    expect(await give(user, 'reviewer')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/roles', code: 'unknown-item' }] },
    });

    expect(await put('reviewer', 'notes:review')).toBe(204);
    expect(await give(user, 'reviewer')).toMatchObject({
      status: 200,
      body: { roles: ['reviewer'] },
    });
    expect(await review(user)).toBe(200);
  });

  it('grant and refuse at the first request after the change, on every instance and in a service with the guard', async () => {
    expect(await put('changing', 'notes:review', 'roles:read')).toBe(204);
    const user = await userWith('changing');
    for (let round = 0; round < 10; round += 1) {
      expect(await put('changing', 'notes:review', 'roles:read')).toBe(204);
      expect([await review(user), await listRoles(other, user)]).toEqual([200, 200]);
      expect(await put('changing', 'something:else')).toBe(204);
      expect([await review(user), await listRoles(other, user)]).toEqual([403, 403]);
      expect(await listRoles(api, user)).toBe(403);
    }
  });

  it.each<[string, () => Promise<number>]>([
    ['narrowed', async () => put('paused', 'orders:read')],
    ['deleted', async () => remove('paused')],
  ])(
    'refuse at the first request of an instance and a service that were paused while a role was %s',
    async (_, change) => {
      expect(await put('paused', 'notes:review', 'roles:read')).toBe(204);
      const user = await userWith('paused');
      expect([await review(user), await listRoles(other, user)]).toEqual([200, 200]);
      other.pause();
      service.pause();
      try {
        expect(await change()).toBe(204);
        other.resume();
        service.resume();

        expect(await afterPause(async () => review(user))).toBe(403);
        expect(await afterPause(async () => listRoles(other, user))).toBe(403);
      } finally {
        other.resume();
        service.resume();
      }
    },
  );

  it('refuse on an instance that was killed while a role was narrowed, after its restart', async () => {
    expect(await put('killed', 'roles:read')).toBe(204);
    const user = await userWith('killed');
    expect(await listRoles(other, user)).toBe(200);
    await other.kill();

    expect(await put('killed', 'orders:read')).toBe(204);

    await other.restart();
    expect(await listRoles(other, user)).toBe(403);
  });

  it('leave their name to users when they are deleted; it grants nothing until the role exists again', async () => {
    expect(await put('temporary', 'roles:read')).toBe(204);
    const user = await userWith('temporary');
    expect(await listRoles(other, user)).toBe(200);

    expect(await remove('temporary')).toBe(204);
    expect(await listRoles(other, user)).toBe(403);
    expect((await other.ownUser(tokenOf(user))).body).toMatchObject({ roles: ['temporary'] });
    expect((await give(user, 'temporary')).status).toBe(400);

    expect(await put('temporary', 'roles:read')).toBe(204);
    expect(await listRoles(other, user)).toBe(200);
  });
});

const ROLES = {
  support: ['users:read', 'users:write', 'roles:read', 'roles:write'],
  auditor: ['audit:read'],
};
const BEYOND = { status: 403, body: { code: 'beyond-own-permissions' } };
const FORBIDDEN = { status: 403, body: { code: 'forbidden' } };
const NO_CONTENT = { status: 204 };

describe('a role', () => {
  let api: TestApp;
  let root: string;
  let support: TestUser;
  const audited: AuditEvent[] = [];
  beforeAll(async () => {
    const auditSink = { useValue: { record: (event: AuditEvent) => void audited.push(event) } };
    api = await startTestApp(WITH_ADMINISTRATOR, { roles: ROLES, auditSink });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    support = await userWith('support');
  });
  afterAll(async () => api.close());
  afterEach(async () => {
    for (const { name, source } of await roles()) {
      if (source === 'stored') {
        expect(await remove(root, name)).toMatchObject(NO_CONTENT);
      }
    }
  });

  const put = async (token: string, name: string, ...permissions: string[]): Promise<Answer> =>
    api.request('PUT', `/api/roles/${name}`, { token, body: { permissions } });
  const remove = async (token: string, name: string): Promise<Answer> =>
    api.request('DELETE', `/api/roles/${name}`, { token });
  const roles = async (): Promise<{ name: string; permissions: string[]; source: string }[]> =>
    (
      await api.request<{ items: { name: string; permissions: string[]; source: string }[] }>(
        'GET',
        '/api/roles',
        { token: root },
      )
    ).body.items;
  const permissionsOf = async (role: string): Promise<string[] | undefined> =>
    (await roles()).find(({ name }) => name === role)?.permissions;
  const userWith = async (...given: string[]): Promise<TestUser> => {
    const user = await api.newUser();
    const options = { token: root, body: { roles: given } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, options)).status).toBe(200);
    return user;
  };

  it('of the cluster replaces a role of the code, which applies again when it is deleted', async () => {
    const auditor = await userWith('auditor');
    const mayReadRoles = async (): Promise<number> =>
      (await api.request('GET', '/api/roles', { token: tokenOf(auditor) })).status;
    const auditors = async () => (await roles()).find(({ name }) => name === 'auditor');
    expect(await auditors()).toMatchObject({ permissions: ['audit:read'], source: 'code' });

    expect(await put(root, 'auditor', 'roles:read')).toMatchObject(NO_CONTENT);
    expect(await auditors()).toMatchObject({ permissions: ['roles:read'], source: 'stored' });
    expect(await mayReadRoles()).toBe(200);

    expect(await remove(root, 'auditor')).toMatchObject(NO_CONTENT);
    expect(await auditors()).toMatchObject({ permissions: ['audit:read'], source: 'code' });
    expect(await mayReadRoles()).toBe(403);
    // Only stored roles can be deleted.
    expect(await remove(root, 'auditor')).toMatchObject({ status: 404 });
  });

  it('can be read and changed only with the permission for it', async () => {
    const nobody = await api.newUser();
    const auditor = await userWith('auditor');
    for (const user of [nobody, auditor]) {
      for (const path of ['/api/roles', '/api/roles/auditor']) {
        expect(await api.request('GET', path, { token: tokenOf(user) })).toMatchObject(FORBIDDEN);
      }
      expect(await put(tokenOf(user), 'mine', 'audit:read')).toMatchObject(FORBIDDEN);
      expect(await remove(tokenOf(user), 'auditor')).toMatchObject(FORBIDDEN);
    }
    expect((await api.request('GET', '/api/roles')).status).toBe(401);
    const body = { permissions: [] };
    expect((await api.request('PUT', '/api/roles/mine', { body })).status).toBe(401);
    expect((await api.request('DELETE', '/api/roles/mine')).status).toBe(401);

    expect(await put(root, 'reader', 'roles:read')).toMatchObject(NO_CONTENT);
    const reader = tokenOf(await userWith('reader'));
    expect((await api.request('GET', '/api/roles', { token: reader })).status).toBe(200);
    expect(await put(reader, 'reader', 'roles:read')).toMatchObject(FORBIDDEN);
  });

  it('may grant at most the permissions of the caller, unless the caller is an administrator', async () => {
    const caller = tokenOf(support);
    expect(await put(caller, 'helper', 'users:read', 'roles:write')).toMatchObject(NO_CONTENT);
    expect(await put(caller, 'helper', 'users:read')).toMatchObject(NO_CONTENT);

    for (const wider of [['audit:read'], ['users:read', 'orders:read'], ['sessions:write']]) {
      expect(await put(caller, 'helper', ...wider)).toMatchObject(BEYOND);
      expect(await put(caller, 'new', ...wider)).toMatchObject(BEYOND);
      expect(await put(caller, 'support', ...ROLES.support, ...wider)).toMatchObject(BEYOND);
    }
    expect(await permissionsOf('helper')).toEqual(['users:read']);
    expect(await permissionsOf('new')).toBeUndefined();
    expect(await permissionsOf('support')).toEqual([...ROLES.support].sort());
    expect(await remove(caller, 'helper')).toMatchObject(NO_CONTENT);

    expect(await put(root, 'new', 'anything:at-all')).toMatchObject(NO_CONTENT);
  });

  it('that grants more than the caller has cannot be changed or deleted by the caller', async () => {
    const caller = tokenOf(support);
    expect(await put(root, 'orders', 'orders:read', 'users:read')).toMatchObject(NO_CONTENT);

    expect(await put(caller, 'orders', 'users:read')).toMatchObject(BEYOND);
    expect(await put(caller, 'orders')).toMatchObject(BEYOND);
    expect(await remove(caller, 'orders')).toMatchObject(BEYOND);
    // A role of the code with more permissions.
    expect(await put(caller, 'auditor')).toMatchObject(BEYOND);
    // The deletion would bring that role back.
    expect(await put(root, 'auditor', 'users:read')).toMatchObject(NO_CONTENT);
    expect(await remove(caller, 'auditor')).toMatchObject(BEYOND);

    expect(await permissionsOf('orders')).toEqual(['orders:read', 'users:read']);
    expect(await permissionsOf('auditor')).toEqual(['users:read']);
  });

  it('counts with its current permissions for the caller, too', async () => {
    expect(await put(root, 'managers', 'roles:write', 'orders:read')).toMatchObject(NO_CONTENT);
    const manager = tokenOf(await userWith('managers'));
    expect(await put(manager, 'clerk', 'orders:read')).toMatchObject(NO_CONTENT);

    expect(await put(root, 'managers', 'roles:write')).toMatchObject(NO_CONTENT);
    expect(await put(manager, 'clerk', 'orders:read')).toMatchObject(BEYOND);
    expect(await remove(manager, 'clerk')).toMatchObject(BEYOND);

    // A caller can narrow its own role.
    expect(await put(manager, 'managers')).toMatchObject(NO_CONTENT);
    expect(await put(manager, 'managers', 'roles:write')).toMatchObject(FORBIDDEN);
  });

  it('protects the users who have it from callers with fewer permissions', async () => {
    expect(await put(root, 'orders', 'orders:read')).toMatchObject(NO_CONTENT);
    const user = await userWith('orders');
    const change = async (body: unknown): Promise<Answer> =>
      api.request('PATCH', `/api/users/${user.id}`, { token: tokenOf(support), body });

    expect(await change({ displayName: 'Ada' })).toMatchObject(BEYOND);
    expect(await change({ roles: ['orders', 'support'] })).toMatchObject(BEYOND);
    expect(await put(root, 'orders', 'users:read')).toMatchObject(NO_CONTENT);
    expect(await change({ displayName: 'Ada' })).toMatchObject({ status: 200 });
    expect(await change({ roles: ['orders', 'support'] })).toMatchObject({ status: 200 });
  });

  it('is changed by one caller at a time: no caller overwrites permissions beyond its own', async () => {
    const callers = await Promise.all(Array.from({ length: 4 }, async () => userWith('support')));
    for (let round = 0; round < 5; round += 1) {
      const results = await Promise.all([
        ...callers.map(async (caller, index) =>
          index % 2 === 0
            ? put(tokenOf(caller), 'contested', 'users:read')
            : remove(tokenOf(caller), 'contested'),
        ),
        put(root, 'contested', 'users:read', 'orders:write'),
      ]);

      expect(results.at(-1)).toMatchObject(NO_CONTENT);
      // In any order: after the administrator's change, the others are refused.
      expect(await permissionsOf('contested')).toEqual(['orders:write', 'users:read']);
      expect(await remove(root, 'contested')).toMatchObject(NO_CONTENT);
    }
  });

  it('is stored only if the caller still has its permissions when it is written', async () => {
    const own = ['roles:write', 'orders:read'];
    expect(await put(root, 'managers', ...own)).toMatchObject(NO_CONTENT);
    const callers = await Promise.all(Array.from({ length: 4 }, async () => userWith('managers')));
    for (let round = 0; round < 5; round += 1) {
      expect(await put(root, 'managers', ...own)).toMatchObject(NO_CONTENT);
      const [narrowed, ...created] = await Promise.all([
        put(root, 'managers', 'roles:write'),
        ...callers.map(async (caller, index) =>
          put(tokenOf(caller), `r${round}-${index}`, 'orders:read'),
        ),
      ]);
      expect(narrowed).toMatchObject(NO_CONTENT);
      for (const [index, answer] of created.entries()) {
        const isStored = (await permissionsOf(`r${round}-${index}`)) !== undefined;
        expect(answer).toMatchObject(isStored ? NO_CONTENT : BEYOND);
        expect(await put(tokenOf(callers[index]!), 'late', 'orders:read')).toMatchObject(BEYOND);
      }
    }
  });

  it('is refused beyond the maximum number of stored roles, also for callers at the same time', async () => {
    const names = Array.from({ length: MAX_STORED_ROLES + 4 }, (_, index) => `role-${index}`);
    for (const name of names.slice(0, -6)) {
      expect(await put(root, name)).toMatchObject(NO_CONTENT);
    }

    const answers = await Promise.all(names.slice(-6).map(async (name) => put(root, name)));

    expect(answers.map(({ status }) => status).sort()).toEqual([204, 204, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'too-many-roles',
    });
    // A stored role can still be replaced.
    expect(await put(root, names[0]!, 'users:read')).toMatchObject(NO_CONTENT);
  });

  it.each(['admin', 'Admin', 'ADMIN'])('named %s cannot be stored or deleted', async (name) => {
    const refused = { status: 409, body: { code: 'built-in-role' } };

    expect(await put(root, name, 'users:read')).toMatchObject(refused);
    expect(await remove(root, name)).toMatchObject(refused);

    expect(audited.at(-1)).toMatchObject({
      type: 'permission-refused',
      reason: 'built-in-role',
      details: { role: name },
    });
  });

  it.each([
    ['.hidden', 'role-name-characters'],
    ['a%20b', 'role-name-characters'],
    ['a,b', 'role-name-characters'],
    ['a%2Fb', 'role-name-characters'],
    ['__proto__', 'role-name-characters'],
    ['r%C3%B4le', 'role-name-characters'],
    ['x'.repeat(65), 'too-long'],
  ])('cannot be named %s', async (name, code) => {
    expect(await put(root, name)).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ pointer: '/name', code }] },
    });
    expect(await remove(root, name)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const read = await api.request('GET', `/api/roles/${name}`, { token: root });
    expect(read).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it.each<[unknown, string]>([
    [undefined, 'missing'],
    ['users:read', 'not-a-list'],
    [null, 'not-a-list'],
    [{ length: 0 }, 'not-a-list'],
    [[1], 'permission-characters'],
    [[null], 'permission-characters'],
    [[''], 'permission-characters'],
    [['users:read', ' users:write'], 'permission-characters'],
    [['a b'], 'permission-characters'],
    [['a"b'], 'permission-characters'],
    [['a,b'], 'permission-characters'],
    [['*'], 'permission-characters'],
    [['é'], 'permission-characters'],
    [['x'.repeat(101)], 'permission-characters'],
    [Array.from({ length: MAX_PERMISSIONS + 1 }, (_, i) => `p${i}`), 'too-many-items'],
  ])('cannot have the permissions %j', async (permissions, code) => {
    const body = { permissions };
    const answer = await api.request('PUT', '/api/roles/clerk', { token: root, body });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ pointer: '/permissions', code }] },
    });
    expect(await permissionsOf('clerk')).toBeUndefined();
  });

  it('can have every allowed form of a name and of permissions, up to the limits', async () => {
    const permissions = [
      'p',
      'orders:read',
      'https://api.example.org/orders.read',
      'a_b-c.d',
      'x'.repeat(100),
    ];
    for (const name of ['x'.repeat(64), 'order-clerk_2.b', '7', 'constructor', 'lastChange']) {
      expect(await put(root, name, ...permissions)).toMatchObject(NO_CONTENT);
      expect(await permissionsOf(name)).toEqual([...permissions].sort());
    }
    const many = Array.from({ length: MAX_PERMISSIONS }, (_, index) => `p${index}`);
    expect(await put(root, '7', ...many)).toMatchObject(NO_CONTENT);
    expect(await permissionsOf('7')).toEqual([...many].sort());
  });

  it('is refused with texts in both languages', async () => {
    const options = {
      token: root,
      body: { permissions: ['a b'] },
      headers: { 'accept-language': 'zh' },
    };
    const invalid = await api.request('PUT', '/api/roles/clerk', options);
    expect(JSON.stringify(invalid.body)).toContain('索引为 0 的项不是有效的权限');
    const builtIn = await api.request('DELETE', '/api/roles/admin', {
      token: root,
      headers: { 'accept-language': 'zh' },
    });
    expect(builtIn.body).toMatchObject({ title: '内置角色' });
  });

  it('is audited with the caller when it is changed, deleted or refused', async () => {
    audited.splice(0);
    const caller = tokenOf(support);
    await put(caller, 'helper', 'users:write', 'users:read');
    await put(caller, 'helper', 'audit:read');
    await remove(caller, 'helper');
    await remove(caller, 'helper');

    const actor = { actor: 'user', actorId: support.id, ip: '127.0.0.1' };
    expect(audited).toMatchObject([
      {
        ...actor,
        type: 'role-changed',
        result: 'success',
        details: { role: 'helper', permissions: ['users:read', 'users:write'] },
      },
      {
        ...actor,
        type: 'permission-refused',
        result: 'refused',
        reason: 'beyond-own-permissions',
        details: { role: 'helper', beyond: 'audit:read' },
      },
      { ...actor, type: 'role-deleted', result: 'success', details: { role: 'helper' } },
    ]);
  });
});
