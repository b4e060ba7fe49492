import { randomUUID } from 'node:crypto';

import { AccessTokenIssuer } from '../../src/auth/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { PERMISSIONS } from '../../src/common/authentication/permissions.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';
import { startDeployment, WITH_ADMINISTRATOR, type Deployment } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import type { Answer, HttpClient, TestUser } from '../support/http-client.js';
import {
  basic,
  changeAccount,
  createAccount,
  postForm,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';

const ISSUER = 'https://keyslot.test';
const INACTIVE = { active: false };
const ROUNDS = 10;

describe('introspection and revocation', () => {
  let deployment: Deployment;
  let api: HttpClient;
  let other: HttpClient;
  let root: string;
  /** The service that asks. */
  let asking: TestAccount;
  beforeAll(async () => {
    deployment = await startDeployment(WITH_ADMINISTRATOR);
    ({ api, other } = deployment);
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    asking = await createAccount(api, root);
    const options = { token: root, body: { permissions: ['orders:write', 'orders:read'] } };
    expect((await api.request('PUT', '/api/roles/clerk', options)).status).toBe(204);
  });
  afterAll(async () => deployment.stop());

  const introspect = async (
    token: string,
    at = api,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => postForm(at, '/oauth/introspect', { token, ...fields }, basic(asking));
  const stateOf = async (token: string, at = api): Promise<Record<string, unknown>> => {
    const { status, body } = await introspect(token, at);
    expect(status).toBe(200);
    return body;
  };
  const revoke = async (token: string, by = asking, at = api): Promise<number> =>
    (await postForm(at, '/oauth/revoke', { token }, basic(by))).status;
  const expectActive = async (isActive: boolean, ...tokens: string[]): Promise<void> => {
    for (const token of tokens) {
      for (const at of [other, api]) {
        const state = await stateOf(token, at);
        expect(state).toEqual(isActive ? expect.objectContaining({ active: true }) : INACTIVE);
      }
    }
  };
  const clerk = async (): Promise<TestUser> => {
    const user = await api.newUser();
    const options = { token: root, body: { roles: ['clerk'] } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, options)).status).toBe(200);
    return user;
  };

  it('describes the access token of a user', async () => {
    const user = await clerk();
    const { jti, exp, iat, auth_time } = decode(user.tokens.access_token).payload;
    const answer = await introspect(user.tokens.access_token);

    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      active: true,
      scope: 'orders:read orders:write',
      client_id: 'keyslot',
      username: user.username,
      token_type: 'Bearer',
      exp,
      iat,
      sub: user.id,
      aud: 'keyslot',
      iss: ISSUER,
      jti,
      sid: user.tokens.session_id,
      roles: ['clerk'],
      auth_time,
      amr: ['pwd'],
    });
  });

  it('describes what the token allows now: roles and permissions are current', async () => {
    const user = await clerk();
    const token = user.tokens.access_token;
    expect(await stateOf(token, other)).toMatchObject({ roles: ['clerk'] });
    const options = { token: root, body: { roles: ['admin'] } };
    await api.request('PATCH', `/api/users/${user.id}`, options);
    expect(await stateOf(token, other)).toMatchObject({
      roles: ['admin'],
      scope: [...PERMISSIONS, 'orders:read', 'orders:write'].sort().join(' '),
    });
    await api.request('PATCH', `/api/users/${user.id}`, { token: root, body: { roles: [] } });
    const state = await stateOf(token, other);
    expect(state).toMatchObject({ active: true, roles: [] });
    expect(state).not.toHaveProperty('scope');
  });

  it('describes the access token of a service account, for any of its audiences', async () => {
    const account = await createAccount(api, root, {
      permissions: ['a:read', 'b:read'],
      audiences: ['orders', 'billing', 'keyslot'],
    });
    const whole = await tokenOf(api, account, { audience: 'billing', resource: 'orders' });
    const { jti, exp, iat } = decode(whole).payload;
    for (const at of [api, other]) {
      expect(await stateOf(whole, at)).toEqual({
        active: true,
        scope: 'a:read b:read',
        client_id: account.id,
        token_type: 'Bearer',
        exp,
        iat,
        sub: account.id,
        aud: ['billing', 'orders'],
        iss: ISSUER,
        jti,
      });
    }
    const limited = await tokenOf(api, account, { scope: 'b:read' });
    expect(await stateOf(limited)).toMatchObject({ scope: 'b:read', aud: 'orders' });
    await changeAccount(api, root, account, { permissions: ['a:read'] });
    expect(await stateOf(whole, other)).toMatchObject({ scope: 'a:read' });
    expect(await stateOf(limited, other)).not.toHaveProperty('scope');
    // A token for another service stays refused by Keyslot itself, although it was asked about.
    for (const at of [api, other]) {
      expect((await at.ownUser(whole)).status).toBe(401);
      expect((await at.request('GET', '/forward-auth', { token: limited })).status).toBe(401);
    }
  });

  it('describes a refresh token, and does not spend it', async () => {
    const user = await api.newUser();
    const { refresh_token: token, session_id: sid } = user.tokens;
    for (let count = 0; count < 3; count += 1) {
      const state = await stateOf(token, count === 1 ? other : api);
      const exp = Number(state['exp']);
      expect(state).toEqual({ active: true, exp, sub: user.id, aud: ISSUER, iss: ISSUER, sid });
      expect(exp - Date.now() / 1000).toBeGreaterThan(29 * 86_400);
      expect(exp - Date.now() / 1000).toBeLessThan(31 * 86_400);
    }
    expect((await introspect(token, api, { token_type_hint: 'access_token' })).body).toMatchObject({
      active: true,
    });
    const refreshed = await api.refresh(token);
    expect(refreshed.status).toBe(200);
    // It is spent now.
    expect(await stateOf(token)).toEqual(INACTIVE);
    await expectActive(true, refreshed.body.refresh_token, refreshed.body.access_token);
  });

  it('says nothing about any other text', async () => {
    const user = await api.newUser();
    const { access_token: token, refresh_token: refresh } = user.tokens;
    const [head = '', payload = '', signature = ''] = token.split('.');
    const issuer = deployment.api.app.get(AccessTokenIssuer);
    const unknown = await issuer.issue(
      { id: user.id, roles: [] },
      { id: randomUUID(), authentication: PASSWORD_LOGIN },
      Deadline.none,
    );
    const texts = [
      'x',
      '*',
      '{"active":true}',
      'x'.repeat(20_000),
      `${head}.${payload}.`,
      `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${token} `,
      ` ${token}`,
      `${token}.x`,
      `${refresh}x`,
      refresh.slice(0, -1),
      asking.clientSecret,
      user.id,
      unknown.reveal(),
    ];
    for (const text of texts) {
      const answer = await introspect(text);
      expect({ text, ...answer }).toMatchObject({ status: 200, body: INACTIVE });
      expect(answer.body).toEqual(INACTIVE);
      expect(await revoke(text)).toBe(200);
    }
    await expectActive(true, token, refresh);
  });

  it.each<[string, (user: TestUser) => Promise<unknown>]>([
    ['a logout', async ({ tokens }) => api.logout(tokens.access_token)],
    ['the revocation of its refresh token', async ({ tokens }) => revoke(tokens.refresh_token)],
    [
      'a disabled user',
      async ({ id }) =>
        api.request('PATCH', `/api/users/${id}`, { token: root, body: { disabled: true } }),
    ],
    [
      'a deleted user',
      async ({ id }) => api.request('DELETE', `/api/users/${id}`, { token: root }),
    ],
  ])('is right at the first request after %s, on every instance', async (_, end) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = await api.newUser();
      const { access_token: token, refresh_token: refresh } = user.tokens;
      await expectActive(true, token, refresh);

      await end(user);

      await expectActive(false, token, refresh);
      expect((await other.ownUser(token)).status).toBe(401);
    }
  });

  it.each(['disabled', 'deleted'])('is right after a service account was %s', async (how) => {
    const account = await createAccount(api, root);
    const token = await tokenOf(api, account);
    await expectActive(true, token);
    await (how === 'disabled'
      ? changeAccount(api, root, account, { disabled: true })
      : api.request('DELETE', `/api/service-accounts/${account.id}`, { token: root }));
    await expectActive(false, token);
  });

  it('revokes an access token alone; its session goes on', async () => {
    const user = await api.newUser();
    const { access_token: token, refresh_token: refresh } = user.tokens;
    await expectActive(true, token);
    expect((await other.ownUser(token)).status).toBe(200);

    // A repeated revocation succeeds, too.
    expect([await revoke(token), await revoke(token), await revoke(token, asking, other)]).toEqual([
      200, 200, 200,
    ]);

    expect((await other.ownUser(token)).status).toBe(401);
    expect((await api.ownUser(token)).status).toBe(401);
    await expectActive(false, token);
    await expectActive(true, refresh);
    const next = await other.refresh(refresh);
    await expectActive(true, next.body.access_token);
    expect(await deployment.other.audited('token-revoked')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          actor: 'client',
          actorId: asking.id,
          userId: user.id,
          sessionId: user.tokens.session_id,
          result: 'success',
        }),
      ]),
    );
  });

  it('ends a session by a refresh token, spent or not, and by one whose session has ended', async () => {
    const user = await api.newUser();
    const { refresh_token: spent } = user.tokens;
    const { body: next } = await api.refresh(spent);
    await expectActive(true, next.access_token);

    expect(await revoke(spent)).toBe(200);

    await expectActive(false, next.access_token, next.refresh_token);
    expect((await api.refresh(next.refresh_token)).status).toBe(401);
    expect([await revoke(spent), await revoke(next.refresh_token)]).toEqual([200, 200]);
  });

  it('revokes no token of another service account, and its own at once', async () => {
    const account = await createAccount(api, root);
    const token = await tokenOf(api, account);
    await expectActive(true, token);

    expect(await revoke(token, asking)).toBe(200);
    await expectActive(true, token);

    expect(await revoke(token, account)).toBe(200);
    await expectActive(false, token);
    await expectActive(true, await tokenOf(api, account));
  });

  it('is right when many tokens of an account are revoked at the same time', async () => {
    const account = await createAccount(api, root);
    const tokens = await Promise.all(Array.from({ length: 12 }, async () => tokenOf(api, account)));
    await expectActive(true, ...tokens);

    const revoked = tokens.slice(0, 9);
    await Promise.all(
      revoked.map(async (token, index) => revoke(token, account, index % 2 ? api : other)),
    );

    await expectActive(false, ...revoked);
    await expectActive(true, ...tokens.slice(9));
  });

  it.each(['introspect', 'revoke'])('/oauth/%s requires a service account', async (route) => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    for (const headers of [
      {},
      { authorization: `Bearer ${token}` },
      basic({ id: user.username, clientSecret: user.password }),
      basic({ ...asking, clientSecret: 'wrong' }),
    ]) {
      const answer = await postForm(api, `/oauth/${route}`, { token }, headers);
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    expect((await api.ownUser(token)).status).toBe(200);
    const none = await postForm(api, `/oauth/${route}`, {}, basic(asking));
    expect(none).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const twice = await postForm(api, `/oauth/${route}`, 'token=a&token=b', basic(asking));
    expect(twice).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const get = await api.request('GET', `/oauth/${route}?token=${token}`, {
      headers: basic(asking),
    });
    expect(get.status).toBe(405);
  });
});
