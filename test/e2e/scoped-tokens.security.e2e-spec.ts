import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import { basic, createAccount, postForm } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

type ScopedTokens = Tokens & { readonly scope?: string };

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly 'x-required-permissions'?: readonly string[];
}

const REFUSED = { status: 403, body: { code: 'unlimited-token-required' } };
/** The routes without a required permission that accept a limited token. */
const ALLOWED = ['listOwnPermissions', 'getOwnUser', 'checkForwardedRequest'];

/** Access tokens of users that are limited to some permissions (RFC 6749 section 6). */
describe('a refresh with a scope', () => {
  let api: TestApp;
  let root: string;
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR, {
      roles: { clerk: ['orders:read', 'roles:read', 'roles:write', 'users:write', 'users:read'] },
    });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
  });
  afterAll(async () => api.close());

  const userWith = async (...roles: string[]): Promise<TestUser> => {
    const user = await api.newUser();
    const options = { token: root, body: { roles } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, options)).status).toBe(200);
    return user;
  };
  const refresh = async (token: string, scope?: unknown): Promise<Answer<ScopedTokens>> =>
    api.request('POST', '/api/refresh', {
      body: { refresh_token: token, ...(scope === undefined ? {} : { scope }) },
    });
  const scoped = async (user: TestUser, scope?: string): Promise<ScopedTokens> => {
    const { status, body } = await refresh(user.tokens.refresh_token, scope);
    expect(status).toBe(200);
    return body;
  };
  const send = async (token: string, method: string, path: string, body?: unknown) =>
    api.request(method, path, { token, ...(body === undefined ? {} : { body }) });
  const listRoles = async ({ access_token }: Tokens): Promise<number> =>
    (await send(access_token, 'GET', '/api/roles')).status;

  it('returns a token that carries those permissions that the user has, and is limited to them', async () => {
    const user = await userWith('clerk');
    const tokens = await scoped(user, 'orders:read audit:read orders:read');
    expect(tokens.scope).toBe('orders:read');
    expect(decode(tokens.access_token).payload).toMatchObject({
      scope: 'orders:read',
      // A service that decides by the roles would ignore the scope.
      roles: [],
    });
    expect(await listRoles(tokens)).toBe(403);
    const forward = async (permission: string): Promise<number> =>
      (await send(tokens.access_token, 'GET', `/forward-auth?permission=${permission}`)).status;
    expect([await forward('orders:read'), await forward('roles:read')]).toEqual([204, 403]);
    const { headers } = await send(tokens.access_token, 'GET', '/forward-auth');
    expect(headers.get('x-auth-roles')).toBe('');
    expect((await api.ownUser(tokens.access_token)).status).toBe(200);
    // The refresh token is not limited.
    const whole = await refresh(tokens.refresh_token);
    expect(whole.body).not.toHaveProperty('scope');
    expect(decode(whole.body.access_token).payload).not.toHaveProperty('scope');
    expect(await listRoles(whole.body)).toBe(200);
  });

  it('returns a token that allows nothing when the user has none of the permissions', async () => {
    const tokens = await scoped(await api.newUser(), 'roles:read');
    expect(tokens.scope).toBe('');
    expect(await listRoles(tokens)).toBe(403);
  });

  it('limits administrators, and what they may grant', async () => {
    const admin = await userWith('admin');
    const target = await userWith();
    const tokens = await scoped(admin, 'users:write roles:write orders:read unheard:of');
    expect(tokens.scope).toBe('users:write roles:write orders:read unheard:of');
    const by = async (method: string, path: string, body?: unknown): Promise<Answer> =>
      send(tokens.access_token, method, path, body);
    const beyond = { status: 403, body: { code: 'beyond-own-permissions' } };
    expect(await listRoles(tokens)).toBe(403);
    expect(await by('PATCH', `/api/users/${target.id}`, { roles: ['admin'] })).toMatchObject(
      beyond,
    );
    expect(await by('PATCH', `/api/users/${target.id}`, { roles: ['clerk'] })).toMatchObject(
      beyond,
    );
    expect((await by('PATCH', `/api/users/${target.id}`, { displayName: 'x' })).status).toBe(200);
    expect(await by('PUT', '/api/roles/new', { permissions: ['audit:read'] })).toMatchObject(
      beyond,
    );
    expect((await by('PUT', '/api/roles/new', { permissions: ['orders:read'] })).status).toBe(204);
    const clerk = await userWith('clerk');
    const limited = await scoped(clerk, 'roles:write orders:read');
    const role = async (permission: string): Promise<Answer> =>
      send(limited.access_token, 'PUT', '/api/roles/other', { permissions: [permission] });
    expect(await role('users:read')).toMatchObject(beyond);
    expect((await role('orders:read')).status).toBe(204);
  });

  it('returns a token that manages no account, at any route, nor becomes an unlimited one (38)', async () => {
    const user = await userWith('clerk');
    const { access_token: token } = await scoped(user, 'users:read users:write');
    const { body: document } = await api.request<{
      readonly paths: Record<string, Record<string, Operation>>;
    }>('GET', '/docs-json');
    const allowed: string[] = [];

    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const { operationId, security = [], 'x-required-permissions': required } = operation;
        const isPublic = security.some((way) => Object.keys(way).length === 0);
        if (!isPublic && !required && !path.startsWith('/oauth/')) {
          const body = method === 'get' ? undefined : {};
          const answer = await send(
            token,
            method.toUpperCase(),
            path.replace(/\{.*\}/, user.id),
            body,
          );
          if (answer.body['code'] === REFUSED.body.code) {
            expect(answer.status).toBe(403);
          } else {
            allowed.push(operationId);
          }
        }
      }
    }

    expect(allowed).toEqual(ALLOWED);
    const proof = { password: user.password };
    expect(await send(token, 'POST', '/api/user/reauthentication', proof)).toMatchObject(REFUSED);
    const admin = await userWith('admin');
    const limited = await scoped(admin, 'users:write users:read');
    expect((await send(limited.access_token, 'GET', '/api/user/permissions')).body).toEqual({
      permissions: ['users:read', 'users:write'],
    });
    const email = 'new@example.org';
    for (const [method, path, body] of [
      ['PATCH', `/api/users/${admin.id}`, { email }],
      ['PATCH', `/api/users/${admin.id}`, { emailVerified: true }],
      ['GET', `/api/users/${admin.id}/factors`],
      ['DELETE', `/api/users/${admin.id}/factors`],
    ] as const) {
      expect(await send(limited.access_token, method, path, body)).toMatchObject(REFUSED);
    }
    const { body: whole } = await refresh(limited.refresh_token);
    expect((await send(whole.access_token, 'PATCH', '/api/user', { email })).status).toBe(200);
  });

  it('is not answered with the token of another scope during the grace period', async () => {
    const user = await userWith('clerk');
    const { refresh_token: spent } = user.tokens;
    const [first, ...others] = [
      await refresh(spent),
      await refresh(spent, 'orders:read'),
      await refresh(spent, 'roles:read'),
      await refresh(spent),
    ].map(({ body }) => body);
    expect(others.map(({ scope }) => scope)).toEqual(['orders:read', 'roles:read', undefined]);
    expect(others[2]!.access_token).toBe(first!.access_token);
    expect(new Set(others.map(({ refresh_token }) => refresh_token))).toEqual(
      new Set([first!.refresh_token]),
    );
    expect(await Promise.all([first!, ...others].map(listRoles))).toEqual([200, 403, 200, 200]);
  });

  it('is told by introspection, with the permissions that the user still has', async () => {
    const asking = await createAccount(api, root);
    const user = await userWith('clerk');
    const { access_token: token } = await scoped(user, 'orders:read roles:read');
    const state = async (): Promise<unknown> =>
      (await postForm(api, '/oauth/introspect', { token }, basic(asking))).body;
    expect(await state()).toMatchObject({ active: true, scope: 'orders:read roles:read' });
    await api.request('PATCH', `/api/users/${user.id}`, { token: root, body: { roles: [] } });
    expect(await state()).toMatchObject({ active: true, roles: [] });
    expect(await state()).not.toHaveProperty('scope');
  });

  it.each([
    [null, 'not-a-string'],
    [7, 'not-a-string'],
    [['orders:read'], 'not-a-string'],
    ['', 'permission-characters'],
    [' ', 'permission-characters'],
    ['a  b', 'permission-characters'],
    ['a"b', 'permission-characters'],
    ['a\nb', 'permission-characters'],
    ['x'.repeat(1001), 'too-long'],
  ])('%j is refused, and the token is not spent', async (scope, code) => {
    const user = await api.newUser();
    expect(await refresh(user.tokens.refresh_token, scope)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/scope', code }] },
    });
    const { body } = await refresh(user.tokens.refresh_token);
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });
});
