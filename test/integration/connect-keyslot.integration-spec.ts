import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { connectKeyslot, KeyslotError, type Keyslot } from '../../src/guard/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { sendExactly } from '../support/exact-request.js';
import { newPrefix } from '../support/near-cache.js';
import { changeAccount, createAccount, tokenOf } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { testVariables } from '../support/test-variables.js';

const redisOptions = () => {
  const { REDIS_NODES, REDIS_USERNAME, REDIS_PASSWORD } = testVariables({});
  return { nodes: REDIS_NODES!.split(','), username: REDIS_USERNAME!, password: REDIS_PASSWORD! };
};

describe('a service without Nest', () => {
  let api: TestApp;
  let keyslot: Keyslot;
  let server: Server;
  const connect = async (options: object = {}): Promise<Keyslot> => {
    const redis = { ...redisOptions(), keyPrefix: api.keyPrefix };
    return connectKeyslot({ redis, audience: 'keyslot', ...options });
  };
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR);
    keyslot = await connect();
    const answer = async (request: IncomingMessage): Promise<[number, object]> => {
      try {
        const principal = await keyslot.authenticate(request);
        return [200, { ...principal }];
      } catch (error) {
        const { status, headers, code } = error as KeyslotError;
        return [status, { headers, code }];
      }
    };
    server = createServer((request, response) => {
      void answer(request).then(([status, body]) =>
        response.writeHead(status).end(JSON.stringify(body)),
      );
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(async () => {
    server.close();
    await keyslot.close();
    await api.close();
  });

  const refusal = (code: string, status: number, headers: object) =>
    expect.objectContaining({ name: 'KeyslotError', code, status, statusCode: status, headers });
  const INVALID = refusal('invalid-token', 401, {
    'Cache-Control': 'no-store',
    'WWW-Authenticate': 'Bearer realm="keyslot", error="invalid_token"',
  });
  const UNAVAILABLE = refusal('store-unavailable', 503, {
    'Cache-Control': 'no-store',
    'Retry-After': '1',
  });
  const send = async (...authorization: string[]): Promise<{ status: number; body: object }> => {
    const { port } = server.address() as AddressInfo;
    const { status, text } = await sendExactly(`http://127.0.0.1:${port}`, {
      method: 'GET',
      target: '/',
      fields: [
        ['Host', 'a.test'],
        ...authorization.map((value) => ['Authorization', value] as const),
      ],
      body: undefined,
    });
    return { status, body: JSON.parse(text) as object };
  };

  it('accepts one bearer token of a live session, and nothing else', async () => {
    const { id, tokens } = await api.newUser();
    const bearer = `Bearer ${tokens.access_token}`;

    expect(await send(bearer)).toMatchObject({ status: 200, body: { kind: 'user', userId: id } });
    // From memory.
    expect((await send(bearer)).status).toBe(200);
    expect(await send()).toMatchObject({ status: 401, body: { code: 'missing-token' } });
    expect(await send('Basic eDp5')).toMatchObject({ body: { code: 'missing-token' } });
    for (const wrong of [[bearer, bearer], [`${bearer} x`], ['Bearer e30.e30.c2ln']]) {
      expect(await send(...wrong)).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
    }
  });

  it('refuses a token at the first request after its session has ended, and tells connections', async () => {
    const { tokens } = await api.newUser();
    const principal = await keyslot.authenticateToken(tokens.access_token);
    const ended = new Promise((resolve) => keyslot.onAccessEnd(principal, resolve));
    const unheard: string[] = [];
    keyslot.onAccessEnd(principal, (why) => unheard.push(why))();

    expect((await api.logout(tokens.access_token)).status).toBe(204);

    await expect(keyslot.authenticateToken(tokens.access_token)).rejects.toEqual(INVALID);
    expect(await ended).toBe('ended');
    expect(unheard).toEqual([]);
  });

  it('tells connections of a service account when it was disabled', async () => {
    const { body: operator } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const account = await createAccount(api, operator.access_token);
    const principal = await keyslot.authenticateToken(await tokenOf(api, account));
    const ended = new Promise((resolve) => keyslot.onAccessEnd(principal, resolve));

    await changeAccount(api, operator.access_token, account, { disabled: true });

    expect(await ended).toBe('ended');
  });

  it('tells connections when their session has expired, by the settings of Keyslot', async () => {
    const prefix = { REDIS_KEY_PREFIX: newPrefix() };
    const start = async (ttl: string): Promise<TestApp> =>
      startTestApp({ ...prefix, REFRESH_TOKEN_TTL: ttl, ACCESS_TOKEN_TTL: '2s' });
    await (await start('20d')).close();
    // After a change of the setting.
    const brief = await start('2s');
    const { keyPrefix } = brief.settings.redis;
    const other = await connect({ redis: { ...redisOptions(), keyPrefix } });
    const { tokens } = await brief.newUser();
    const principal = await other.authenticateToken(tokens.access_token);

    expect(await new Promise((resolve) => other.onAccessEnd(principal, resolve))).toBe('ended');

    await Promise.all([other.close(), brief.close()]);
  });

  it('requires permissions by the current roles, those of the cluster included', async () => {
    const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const { id, tokens } = await api.newUser();
    const put = async (path: string, method: string, body: object): Promise<void> => {
      const { status } = await api.request(method, path, { token: admin.access_token, body });
      expect(status).toBeLessThan(300);
    };
    const may = async (...permissions: string[]): Promise<unknown> => {
      const principal = await keyslot.authenticateToken(tokens.access_token);
      return keyslot.requirePermissions(principal, ...permissions).catch((error: unknown) => error);
    };
    const FORBIDDEN = refusal('forbidden', 403, { 'Cache-Control': 'no-store' });

    expect(await may('orders:read')).toEqual(FORBIDDEN);
    await put('/api/roles/clerk', 'PUT', { permissions: ['orders:read'] });
    await put(`/api/users/${id}`, 'PATCH', { roles: ['clerk'] });
    expect(await may('orders:read')).toBeUndefined();
    expect(await may('orders:read', 'orders:write')).toEqual(FORBIDDEN);
    await put('/api/roles/clerk', 'PUT', { permissions: [] });
    expect(await may('orders:read')).toEqual(FORBIDDEN);
    const principal = await keyslot.authenticateToken(admin.access_token);
    expect(await keyslot.requirePermissions(principal, 'orders:write')).toBeUndefined();
  });

  it('refuses everything after it was closed, also a token that it knew', async () => {
    const other = await connect();
    const { tokens } = await api.newUser();
    const principal = await other.authenticateToken(tokens.access_token);
    const ended = new Promise((resolve) => other.onAccessEnd(principal, resolve));

    await Promise.all([other.close(), other.close()]);

    await expect(other.authenticateToken(tokens.access_token)).rejects.toEqual(UNAVAILABLE);
    expect(await ended).toBe('stopping');
  });

  it('is not connected when the cluster cannot be joined: the error says why', async () => {
    const refused = connect({ redis: { nodes: ['127.0.0.1:9'] }, joinTimeoutMs: 300 });
    await expect(refused).rejects.toThrow(
      /within 300 ms: the Redis node 127.0.0.1:9 does not answer/,
    );
  });

  it.each([
    ['redis.nodes', { redis: { nodes: [] } }],
    ['redis.nodes', { redis: { nodes: ['10.0.0.1'] } }],
    ['redis.nodes', { redis: { nodes: [{ host: '10.0.0.1', port: 70_000 }] } }],
    ['redis.nodes', { redis: undefined }],
    ['audience', { audience: '' }],
    ['audience', { audience: undefined }],
    ['issuer', { issuer: '' }],
  ])('is not connected with an invalid option: %s', async (name, options) => {
    await expect(connect(options)).rejects.toThrow(TypeError);
    await expect(connect(options)).rejects.toThrow(name);
  });
});
