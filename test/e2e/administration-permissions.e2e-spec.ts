import { RedisAccounts } from '../../src/users/index.js';
import type { AuditEvent } from '../../src/audit/index.js';
import { PERMISSIONS } from '../../src/common/authentication/permissions.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const ROLES = {
  reader: ['users:read'],
  support: ['users:read', 'users:write', 'sessions:write'],
  auditor: ['audit:read'],
  // All permissions of Keyslot's routes.
  everything: PERMISSIONS,
};
const BEYOND = { status: 403, body: { code: 'beyond-own-permissions' } };

/** Requirement 104: nobody can obtain, grant or remove more permissions than their own. */
describe('a caller who may change users', () => {
  let api: TestApp;
  let root: string;
  const audited: AuditEvent[] = [];
  beforeAll(async () => {
    const auditSink = { useValue: { record: (event: AuditEvent) => void audited.push(event) } };
    api = await startTestApp(WITH_ADMINISTRATOR, { roles: ROLES, auditSink });
    const login = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    root = login.body.access_token;
  });
  afterAll(async () => api.close());

  const send = async (
    token: string,
    method: string,
    { id }: { id: string },
    body?: unknown,
    end = '',
  ): Promise<Answer> => api.request(method, `/api/users/${id}${end}`, { token, body });
  const userWith = async (...roles: string[]): Promise<TestUser> => {
    const user = await api.newUser();
    expect((await send(root, 'PATCH', user, { roles })).status).toBe(200);
    return user;
  };
  const tokenOf = ({ tokens }: TestUser): string => tokens.access_token;
  const stored = async (user: TestUser): Promise<unknown> => (await send(root, 'GET', user)).body;

  const changes: [string, string, unknown, string?][] = [
    ['remove a role', 'PATCH', { roles: [] }],
    ['grant a role', 'PATCH', { roles: ['reader'] }],
    ['it is disabled', 'PATCH', { disabled: true }],
    ['it is enabled', 'PATCH', { disabled: false }],
    ['it gets another e-mail address', 'PATCH', { email: 'mine@example.org' }],
    ['its e-mail address is confirmed', 'PATCH', { emailVerified: true }],
    ['it loses its name', 'PATCH', { displayName: null }],
    ['nothing is changed', 'PATCH', {}],
    ['it is deleted', 'DELETE', undefined],
    ['its sessions end', 'DELETE', undefined, '/sessions'],
    ['its second factors are removed', 'DELETE', undefined, '/factors'],
    ['it gets a mail for a new password', 'POST', undefined, '/password-reset'],
  ];
  const targets = [['admin'], ['auditor'], ['reader', 'auditor'], ['everything']];

  it.each(changes)('cannot change a user with more permissions: %s', async (_, ...change) => {
    const [method, body, end] = change;
    const caller = await userWith('support');
    for (const roles of targets) {
      const target = await userWith(...roles);
      const before = await stored(target);

      expect(await send(tokenOf(caller), method, target, body, end)).toMatchObject(BEYOND);

      expect(await stored(target)).toEqual(before);
      expect((await api.ownUser(tokenOf(target))).status).toBe(200);
    }
  });

  it('can change users within its own permissions, including their unknown roles', async () => {
    const caller = await userWith('support');
    const ghost = await api.newUser();
    const users = api.app.get(RedisAccounts);
    await users.update(ghost.id, { roles: ['gone'] }, Deadline.none);
    const targets = [ghost, await api.newUser(), await userWith('reader', 'support')];

    for (const target of targets) {
      const changed = { roles: ['reader'], disabled: false, displayName: 'Ada' };
      expect(await send(tokenOf(caller), 'PATCH', target, changed)).toMatchObject({
        status: 200,
        body: changed,
      });
      expect((await send(tokenOf(caller), 'DELETE', target, undefined, '/sessions')).status).toBe(
        204,
      );
      expect((await send(tokenOf(caller), 'DELETE', target)).status).toBe(204);
    }
  });

  it('cannot grant a role with more permissions than its own, to others or to itself', async () => {
    const caller = await userWith('support');
    const target = await api.newUser();
    for (const user of [target, caller]) {
      for (const roles of targets) {
        const given = [...roles, 'support'];
        const answer = await send(tokenOf(caller), 'PATCH', user, { roles: given });
        expect(answer).toMatchObject(BEYOND);
      }
    }

    expect(await stored(target)).toMatchObject({ roles: [] });
    expect(await stored(caller)).toMatchObject({ roles: ['support'] });
    const within = { roles: ['support', 'reader'] };
    expect((await send(tokenOf(caller), 'PATCH', target, within)).status).toBe(200);
    expect((await send(tokenOf(caller), 'PATCH', caller, within)).status).toBe(200);
  });

  it('has the permissions of all its roles, but never those of an administrator', async () => {
    const caller = await userWith('support', 'auditor');
    const target = await userWith('reader', 'auditor');
    const roles = ['auditor', 'support'];
    expect((await send(tokenOf(caller), 'PATCH', target, { roles })).status).toBe(200);

    const fullyPermitted = await userWith('everything');
    const administrator = await userWith('admin');
    for (const [user, body] of [
      [administrator, { displayName: 'Ada' }],
      [target, { roles: ['admin'] }],
      [fullyPermitted, { roles: ['admin', 'everything'] }],
    ] as const) {
      expect(await send(tokenOf(fullyPermitted), 'PATCH', user, body)).toMatchObject(BEYOND);
    }
  });

  it('is checked against its current permissions, not those at login', async () => {
    const caller = await userWith('support', 'auditor');
    const target = await userWith('auditor');
    const change = { displayName: 'Ada' };
    expect((await send(tokenOf(caller), 'PATCH', target, change)).status).toBe(200);

    await send(root, 'PATCH', caller, { roles: ['support'] });
    expect(await send(tokenOf(caller), 'PATCH', target, change)).toMatchObject(BEYOND);

    await send(root, 'PATCH', caller, { roles: ['reader'] });
    expect(await send(tokenOf(caller), 'PATCH', target, change)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
  });

  it('cannot change a user who receives more permissions at the same time', async () => {
    const caller = await userWith('support');
    for (const [method, body] of [
      ['PATCH', { roles: ['reader'] }],
      ['PATCH', { disabled: true }],
      ['DELETE', undefined],
    ] as const) {
      for (let round = 0; round < 10; round += 1) {
        const target = await api.newUser();
        const [given, changed] = await Promise.all([
          send(root, 'PATCH', target, { roles: ['auditor'], disabled: false }),
          send(tokenOf(caller), method, target, body),
        ]);
        // The second call sees the result of the first.
        if (given.status === 200) {
          expect(await stored(target)).toMatchObject({ roles: ['auditor'], disabled: false });
        } else {
          expect([given.status, changed.status]).toEqual([404, 204]);
        }
      }
    }
  });

  it('gets the refusal in both languages, and it is audited', async () => {
    const caller = await userWith('support');
    const target = await userWith('auditor');
    const headers = { 'accept-language': 'zh' };
    const options = { token: tokenOf(caller), body: { roles: [] }, headers };

    const answer = await api.request('PATCH', `/api/users/${target.id}`, options);

    expect(answer.body).toMatchObject({ title: '超出您自己的权限' });
    expect(audited.at(-1)).toMatchObject({
      type: 'permission-refused',
      reason: 'beyond-own-permissions',
      userId: target.id,
      actorId: caller.id,
      details: { beyond: 'auditor' },
    });
  });
});

describe('the last administrator', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp(WITH_ADMINISTRATOR)));
  afterAll(async () => api.close());

  it('cannot delete itself before there is another one, and keeps its name (104)', async () => {
    const { BOOTSTRAP_ADMIN_USERNAME: username, BOOTSTRAP_ADMIN_PASSWORD: password } =
      WITH_ADMINISTRATOR;
    const { access_token: root } = (await api.login(username)).body;
    const deleteOwn = async (token: string): Promise<Answer> =>
      api.request('DELETE', '/api/user', { token, body: { password } });

    const refused = await deleteOwn(root);

    expect(refused).toMatchObject({ status: 409, body: { code: 'last-administrator' } });
    expect((await api.ownUser(root)).status).toBe(200);

    const second = await api.newUser();
    const roles = { token: root, body: { roles: ['admin'] } };
    expect((await api.request('PATCH', `/api/users/${second.id}`, roles)).status).toBe(200);
    expect((await deleteOwn(root)).status).toBe(204);
    expect((await deleteOwn(second.tokens.access_token)).status).toBe(409);
    const again = await api.register(username);
    expect(again).toMatchObject({ status: 409, body: { code: 'username-taken' } });
  });
});
