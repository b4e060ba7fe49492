import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';

import { AccessTokenIssuer } from '../../src/auth/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { afterPause } from '../support/after-pause.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, HttpClient, TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { readOperations } from '../support/openapi.js';
import {
  changeAccount,
  createAccount,
  postForm,
  basic,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SERVICE = resolve('test/e2e/guarded-service.mjs');
/** Routes that concern the user who calls them. */
const OF_USERS = /^\/api\/user(?:\/|$)|^\/api\/logout$/;
const ROUNDS = 10;

describe('the token of a service account', () => {
  let api: TestApp;
  let other: Instance;
  /** A service with the guard only, whose route requires the permission notes:review and a user. */
  let service: Instance;
  let root: string;
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR, { roles: { clerk: ['orders:read'] } });
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

  const accountWith = async (...permissions: string[]): Promise<TestAccount> =>
    createAccount(api, root, { permissions });
  const change = async (account: TestAccount, members: object): Promise<void> =>
    changeAccount(api, root, account, members);
  const remove = async ({ id }: TestAccount): Promise<void> => {
    const answer = await api.request('DELETE', `/api/service-accounts/${id}`, { token: root });
    expect(answer.status).toBe(204);
  };
  const listRoles = async (at: HttpClient, token: string): Promise<number> =>
    (await at.request('GET', '/api/roles', { token })).status;
  /** Any guarded route: a valid token gets 404. */
  const drafts = async (token: string): Promise<Answer> =>
    service.request('GET', '/notes/drafts', { token });
  const forwardAuth = async (at: HttpClient, token: string): Promise<Answer> =>
    at.request('GET', '/forward-auth?permission=roles:read', { token });

  it('is accepted on routes for which the account has the permission, on every instance', async () => {
    const account = await accountWith('roles:read', 'users:read');
    const token = await tokenOf(api, account);
    const user = await api.newUser();
    for (const at of [api, other]) {
      expect(await listRoles(at, token)).toBe(200);
      expect((await at.request('GET', `/api/users/${user.id}`, { token })).status).toBe(200);
      const refused = await at.request('DELETE', `/api/users/${user.id}`, { token });
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      const { status, headers } = await forwardAuth(at, token);
      expect([status, headers.get('x-auth-subject'), headers.get('x-auth-roles')]).toEqual([
        204,
        account.id,
        '',
      ]);
      expect(headers.has('x-auth-session')).toBe(false);
    }
  });

  it('is refused with its own code on every route that concerns the calling user', async () => {
    const account = await accountWith('users:write', 'sessions:write');
    const token = await tokenOf(api, account);
    const operations = (await readOperations(api)).filter(({ path }) => OF_USERS.test(path));
    expect(operations.length).toBeGreaterThan(7);
    const bodies: Record<string, object> = {
      'PATCH /api/user': { displayName: 'x' },
      'DELETE /api/user': { password: 'x' },
      'PUT /api/user/password': { currentPassword: 'x', newPassword: 'violet engines at dusk' },
    };
    for (const { method, path } of operations) {
      const body = bodies[`${method} ${path}`];
      const options = { token, ...(body ? { body } : {}) };
      const answer = await api.request(method, path.replace('{id}', randomUUID()), options);
      expect({ path, answer }).toMatchObject({
        path,
        answer: { status: 403, body: { code: 'user-required' } },
      });
    }
    const zh = { token, headers: { 'accept-language': 'zh' } };
    expect((await api.request('GET', '/api/user', zh)).body).toMatchObject({ title: '仅限用户' });
  });

  it('is accepted and refused in a service with the guard, too', async () => {
    const token = await tokenOf(api, await accountWith('notes:review'));
    expect(await drafts(token)).toMatchObject({ status: 403, body: { code: 'user-required' } });
    const poor = await tokenOf(api, await accountWith());
    expect(await drafts(poor)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it.each<[string, (account: TestAccount) => Promise<void>, number]>([
    ['was disabled', async (account) => change(account, { disabled: true }), 401],
    ['was deleted', remove, 401],
    ['lost its permissions', async (account) => change(account, { permissions: ['a'] }), 403],
    ['lost its audience', async (account) => change(account, { audiences: ['orders'] }), 401],
  ])(
    'is refused at the first request after the account %s, on every instance and in a service',
    async (_, narrow, status) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const account = await accountWith('roles:read', 'notes:review');
        const token = await tokenOf(api, account);
        expect([await listRoles(api, token), await listRoles(other, token)]).toEqual([200, 200]);
        expect((await drafts(token)).body['code']).toBe('user-required');

        await narrow(account);

        expect(await listRoles(other, token)).toBe(status);
        expect(await drafts(token)).toMatchObject({
          status,
          body: { code: status === 401 ? 'invalid-token' : 'forbidden' },
        });
        expect(await listRoles(api, token)).toBe(status);
        expect((await forwardAuth(other, token)).status).toBe(status);
      }
    },
  );

  it('is refused at the first request of an instance and a service that were paused meanwhile', async () => {
    const account = await accountWith('roles:read', 'notes:review');
    const token = await tokenOf(api, account);
    expect(await listRoles(other, token)).toBe(200);
    expect((await drafts(token)).status).toBe(403);
    other.pause();
    service.pause();
    try {
      await change(account, { disabled: true });
    } finally {
      other.resume();
      service.resume();
    }
    expect(await afterPause(async () => listRoles(other, token))).toBe(401);
    expect(await afterPause(async () => (await drafts(token)).status)).toBe(401);
  });

  it('stays refused when the account is enabled again; a new one is accepted', async () => {
    const account = await accountWith('roles:read');
    const before = await tokenOf(api, account);
    expect(await listRoles(other, before)).toBe(200);
    await change(account, { disabled: true });
    await change(account, { disabled: false });

    expect([await listRoles(other, before), await listRoles(api, before)]).toEqual([401, 401]);
    const after = await tokenOf(other, account);
    expect([await listRoles(other, after), await listRoles(api, after)]).toEqual([200, 200]);
    // It is not affected by changes of other members.
    await change(account, { name: `renamed ${randomUUID()}`, disabled: false });
    expect(await listRoles(other, after)).toBe(200);
  });

  it('gains and loses permissions with its account, but never more than its scope', async () => {
    const account = await accountWith('roles:read', 'users:read');
    const [whole, limited] = [
      await tokenOf(api, account),
      await tokenOf(api, account, { scope: 'users:read' }),
    ];
    expect([await listRoles(other, whole), await listRoles(other, limited)]).toEqual([200, 403]);
    const user = await api.newUser();
    const readUser = async (token: string): Promise<number> =>
      (await other.request('GET', `/api/users/${user.id}`, { token })).status;
    expect([await readUser(whole), await readUser(limited)]).toEqual([200, 200]);

    await change(account, { permissions: ['roles:read'] });
    expect([await readUser(whole), await readUser(limited)]).toEqual([403, 403]);
    await change(account, { permissions: ['roles:read', 'users:read', 'sessions:read'] });
    expect([await readUser(whole), await readUser(limited)]).toEqual([200, 200]);
    const sessions = async (token: string): Promise<number> =>
      (await other.request('GET', `/api/users/${user.id}/sessions`, { token })).status;
    expect([await sessions(whole), await sessions(limited)]).toEqual([200, 403]);
  });

  it.each(['unknown', 'deleted'])('for an account that is %s is refused', async (which) => {
    let id: string = randomUUID();
    if (which === 'deleted') {
      const account = await accountWith('roles:read');
      await remove(account);
      ({ id } = account);
    }
    const token = await api.app
      .get(AccessTokenIssuer)
      .issueToClient({ id, epoch: 0, audiences: ['keyslot'] }, Deadline.none);
    for (let count = 0; count < 3; count += 1) {
      expect(await listRoles(other, token.reveal())).toBe(401);
    }
  });

  it('of a user without a session, or with another subject, is not one of an account', async () => {
    const account = await accountWith('roles:read');
    const issuer = api.app.get(AccessTokenIssuer);
    const asUser = await issuer.issue(
      { id: account.id, roles: [] },
      { id: randomUUID(), authentication: PASSWORD_LOGIN },
      Deadline.none,
    );
    expect(await listRoles(other, asUser.reveal())).toBe(401);
    const user = await api.newUser();
    const asClient = { id: user.id, epoch: 0, audiences: ['keyslot'] };
    const token = await issuer.issueToClient(asClient, Deadline.none);
    expect((await other.ownUser(token.reveal())).status).toBe(401);
  });

  describe('as administrator', () => {
    const BEYOND = { status: 403, body: { code: 'beyond-own-permissions' } };
    let account: TestAccount;
    let token: string;
    let user: TestUser;
    beforeAll(async () => {
      account = await accountWith(
        ...['roles:write', 'roles:read', 'users:write', 'users:read', 'orders:read'],
        ...['sessions:read', 'sessions:write', 'service-accounts:write'],
      );
      token = await tokenOf(api, account);
      user = await api.newUser();
    });

    const send = async (method: string, path: string, body?: unknown): Promise<Answer> =>
      api.request(method, path, { token, ...(body === undefined ? {} : { body }) });

    it('changes roles within the permissions of the account', async () => {
      expect(
        await send('PUT', '/api/roles/helper', { permissions: ['orders:read'] }),
      ).toMatchObject({
        status: 204,
      });
      const more = { permissions: ['orders:read', 'audit:read'] };
      expect(await send('PUT', '/api/roles/helper', more)).toMatchObject(BEYOND);
      const options = { token: root, body: more };
      await api.request('PUT', '/api/roles/powerful', options);
      expect(await send('DELETE', '/api/roles/powerful')).toMatchObject(BEYOND);
      expect(await send('DELETE', '/api/roles/helper')).toMatchObject({ status: 204 });
    });

    it('changes users within the permissions of the account', async () => {
      const path = `/api/users/${user.id}`;
      expect(await send('PATCH', path, { roles: ['clerk'] })).toMatchObject({
        status: 200,
        body: { roles: ['clerk'] },
      });
      expect(await send('PATCH', path, { roles: ['admin'] })).toMatchObject(BEYOND);
      expect(await send('GET', `${path}/sessions`)).toMatchObject({ status: 200 });
      expect(await send('DELETE', `${path}/sessions`)).toMatchObject({ status: 204 });
      expect((await api.ownUser(user.tokens.access_token)).status).toBe(401);
      const { body: admin } = await api.ownUser(root);
      for (const [method, where] of [
        ['PATCH', ''],
        ['DELETE', ''],
        ['DELETE', '/sessions'],
      ] as const) {
        const body = method === 'PATCH' ? { displayName: 'x' } : undefined;
        expect(await send(method, `/api/users/${String(admin['id'])}${where}`, body)).toMatchObject(
          BEYOND,
        );
      }
      expect(await send('DELETE', path)).toMatchObject({ status: 204 });
    });

    it('creates accounts within the permissions of the account, and cannot extend itself', async () => {
      const name = `made by ${account.id}`;
      const made = await send('POST', '/api/service-accounts', {
        name,
        permissions: ['orders:read'],
      });
      expect(made.status).toBe(201);
      const more = { name: `${name} too`, permissions: ['audit:read'] };
      expect(await send('POST', '/api/service-accounts', more)).toMatchObject(BEYOND);
      const self = `/api/service-accounts/${account.id}`;
      expect(await send('PATCH', self, { permissions: ['audit:read'] })).toMatchObject(BEYOND);
    });

    it('has no more authority than the scope of the token', async () => {
      const scope = 'roles:write service-accounts:write';
      token = await tokenOf(api, account, { scope });
      const permissions = ['orders:read'];
      expect(await send('PUT', '/api/roles/helper', { permissions })).toMatchObject(BEYOND);
      const body = { name: randomUUID(), permissions };
      expect(await send('POST', '/api/service-accounts', body)).toMatchObject(BEYOND);
      const own = `/api/service-accounts/${account.id}/secrets`;
      expect(await send('POST', own)).toMatchObject(BEYOND);
    });
  });

  it('can be revoked by its account, on every instance, and no other token with it', async () => {
    const account = await accountWith('roles:read');
    const [one, another] = [await tokenOf(api, account), await tokenOf(api, account)];
    expect([await listRoles(other, one), await listRoles(other, another)]).toEqual([200, 200]);

    const revoked = await postForm(api, '/oauth/revoke', { token: one }, basic(account));

    expect(revoked.status).toBe(200);
    expect(await listRoles(other, one)).toBe(401);
    expect((await drafts(one)).status).toBe(401);
    expect(await listRoles(api, one)).toBe(401);
    expect([await listRoles(other, another), await listRoles(api, another)]).toEqual([200, 200]);
  });
});
