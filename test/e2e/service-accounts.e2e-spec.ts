import { generateKeyPairSync } from 'node:crypto';

import type { AuditEvent } from '../../src/audit/index.js';
import { MAX_SECRETS, MAX_SERVICE_ACCOUNTS } from '../../src/service-accounts/write/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PATH = '/api/service-accounts';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BEYOND = { status: 403, body: { code: 'beyond-own-permissions' } };
const CALLERS = 6;

interface Account {
  readonly id: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secrets: readonly { readonly id: string }[];
}

describe('service accounts', () => {
  let api: TestApp;
  let root: string;
  /** May write accounts, with the permission orders:read. */
  let clerk: TestUser;
  const audited: AuditEvent[] = [];
  let count = 0;
  beforeAll(async () => {
    const sink = { record: (event: AuditEvent) => void audited.push(event) };
    api = await startTestApp(WITH_ADMINISTRATOR, {
      auditSink: { useValue: sink },
      roles: {
        clerk: ['service-accounts:read', 'service-accounts:write', 'orders:read'],
        reader: ['service-accounts:read'],
      },
    });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    clerk = await userWith('clerk');
  });
  afterAll(async () => api.close());

  const userWith = async (...roles: string[]): Promise<TestUser> => {
    const user = await api.newUser();
    const options = { token: root, body: { roles } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, options)).status).toBe(200);
    return user;
  };
  const send = async (method: string, path = '', body?: unknown, token = root): Promise<Answer> =>
    api.request(method, PATH + path, { token, ...(body === undefined ? {} : { body }) });
  const newName = (): string => `account ${(count += 1)}`;
  const created = async (members: object = {}, token = root): Promise<Account> => {
    const answer = await send('POST', '', { name: newName(), ...members }, token);
    expect(answer.status).toBe(201);
    return answer.body as unknown as Account;
  };
  const read = async ({ id }: Account): Promise<Answer> => send('GET', `/${id}`);
  const tokenOf = ({ tokens }: TestUser): string => tokens.access_token;

  it('are created, read, listed, changed and deleted', async () => {
    const answer = await send('POST', '', {
      name: 'Order reports',
      permissions: ['orders:write', 'orders:read', 'orders:read'],
      audiences: ['orders', 'keyslot'],
    });
    const { clientSecret, ...shown } = answer.body;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${PATH}/${String(shown['id'])}`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(clientSecret).toMatch(/^kss_[\w-]{43}$/);
    expect(shown).toEqual({
      id: expect.stringMatching(UUID) as unknown,
      name: 'Order reports',
      clientId: shown['id'],
      permissions: ['orders:read', 'orders:write'],
      audiences: ['orders', 'keyslot'],
      disabled: false,
      createdAt: expect.stringMatching(/Z$/) as unknown,
      updatedAt: shown['createdAt'],
      secrets: [{ id: expect.stringMatching(UUID) as unknown, createdAt: shown['createdAt'] }],
      jwks: { keys: [] },
    });
    const path = `/${String(shown['id'])}`;
    expect(await send('GET', path)).toMatchObject({ status: 200, body: shown });
    const other = await created();
    const list = await send('GET');
    const ids = (list.body['items'] as Account[]).map(({ id }) => id);
    expect(ids.slice(ids.indexOf(String(shown['id'])))).toEqual([shown['id'], other.id]);
    expect(JSON.stringify([list.body, (await read(other)).body])).not.toMatch(/kss_|hash/i);

    const changed = await send('PATCH', path, { name: 'Reports', permissions: [], disabled: true });
    const expected = { ...shown, name: 'Reports', permissions: [], disabled: true };
    expect(changed).toMatchObject({
      status: 200,
      body: { ...expected, updatedAt: changed.body['updatedAt'] },
    });
    expect(Number(new Date(String(changed.body['updatedAt'])))).toBeGreaterThan(
      Number(new Date(String(shown['createdAt']))),
    );
    expect((await send('PATCH', path, { disabled: false })).body).toMatchObject({
      name: 'Reports',
      disabled: false,
    });
    // The former name is free, and the new one is not.
    await created({ name: 'order REPORTS' });
    expect((await send('POST', '', { name: 'REPORTS' })).body['code']).toBe('name-taken');

    expect((await send('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const body = method === 'PATCH' ? {} : undefined;
      expect(await send(method, path, body)).toMatchObject({ status: 404 });
    }
    expect((await send('POST', `${path}/secrets`)).status).toBe(404);
    await created({ name: 'Reports' });
  });

  it('have the audience of Keyslot and no permission by default', async () => {
    expect(await created()).toMatchObject({ permissions: [], audiences: ['keyslot'] });
  });

  it('with public keys have no secret until one is created', async () => {
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const account = await created({ jwks: { keys: [{ ...jwk, kid: 'one', unknown: 1 }] } });
    expect(account).toMatchObject({ secrets: [], jwks: { keys: [{ ...jwk, kid: 'one' }] } });
    expect(account).not.toHaveProperty('clientSecret');
    expect((await send('POST', `/${account.id}/secrets`)).status).toBe(201);
    expect((await read(account)).body).toMatchObject({ jwks: { keys: [{ ...jwk, kid: 'one' }] } });
    expect((await send('PATCH', `/${account.id}`, { jwks: { keys: [] } })).body).toMatchObject({
      jwks: { keys: [] },
      secrets: [{}],
    });
  });

  it('have two secrets at most, also for callers at the same time; one can be deleted', async () => {
    const account = await created();
    const path = `/${account.id}/secrets`;

    const answers = await Promise.all(
      Array.from({ length: CALLERS }, async () => send('POST', path)),
    );

    const winners = answers.filter(({ status }) => status === 201);
    expect(winners).toHaveLength(MAX_SECRETS - 1);
    const others = answers.filter(({ status }) => status !== 201);
    expect(others.every(({ body }) => body['code'] === 'too-many-secrets')).toBe(true);
    const added = winners[0]!.body;
    expect(added).toEqual({
      id: expect.stringMatching(UUID) as unknown,
      clientSecret: expect.stringMatching(/^kss_/) as unknown,
      createdAt: expect.stringMatching(/Z$/) as unknown,
    });
    const secretsOf = async (): Promise<unknown[]> =>
      ((await read(account)).body['secrets'] as { id: string }[]).map(({ id }) => id);
    const first = account.secrets[0]!.id;
    expect(await secretsOf()).toEqual([first, added['id']]);

    const removals = await Promise.all(
      Array.from({ length: CALLERS }, async () => send('DELETE', `${path}/${first}`)),
    );
    expect(removals.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(removals.filter(({ status }) => status === 404)).toHaveLength(CALLERS - 1);
    expect(await secretsOf()).toEqual([added['id']]);
    expect((await send('POST', path)).status).toBe(201);
  });

  it('have unique names, also for callers at the same time', async () => {
    const names = ['Twice', 'twice', 'TWICE', 'ｔｗｉｃｅ', 'Twice', 'twicE'];
    const answers = await Promise.all(names.map(async (name) => send('POST', '', { name })));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 201);
    expect(others.every(({ body }) => body['code'] === 'name-taken')).toBe(true);
    const [one, other] = [await created(), await created()];
    const renamed = await Promise.all(
      [one, other].map(async ({ id }) => send('PATCH', `/${id}`, { name: 'Renamed' })),
    );
    expect(renamed.map(({ status }) => status).sort()).toEqual([200, 409]);
    const own = renamed[0]!.status === 200 ? one : other;
    expect((await send('PATCH', `/${own.id}`, { name: 'RENAMED' })).status).toBe(200);
  });

  describe('whose permissions exceed those of the caller', () => {
    const by = async (method: string, path: string, body?: unknown): Promise<Answer> =>
      send(method, path, body, tokenOf(clerk));

    it('are not created or extended', async () => {
      const account = await created({ permissions: ['orders:read'] }, tokenOf(clerk));
      for (const permission of ['orders:write', 'users:write', 'unheard:of', 'admin']) {
        const body = { name: newName(), permissions: ['orders:read', permission] };
        expect(await by('POST', '', body)).toMatchObject(BEYOND);
        const { permissions } = body;
        expect(await by('PATCH', `/${account.id}`, { permissions })).toMatchObject(BEYOND);
      }
      expect((await read(account)).body['permissions']).toEqual(['orders:read']);
      expect((await by('PATCH', `/${account.id}`, { permissions: [] })).status).toBe(200);
      expect((await by('DELETE', `/${account.id}`)).status).toBe(204);
    });

    it('are not taken over, changed or deleted', async () => {
      const account = await created({ permissions: ['orders:read', 'users:write'] });
      const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
      const path = `/${account.id}`;
      const before = (await read(account)).body;
      audited.splice(0);
      for (const [method, where, body] of [
        ['POST', `${path}/secrets`],
        ['DELETE', `${path}/secrets/${account.secrets[0]!.id}`],
        ['PATCH', path, { jwks: { keys: [jwk] } }],
        ['PATCH', path, { name: 'mine' }],
        ['PATCH', path, { permissions: ['orders:read'] }],
        ['PATCH', path, { audiences: ['orders'] }],
        ['PATCH', path, { disabled: true }],
        ['PATCH', path, {}],
        ['DELETE', path],
      ] as const) {
        expect(await by(method, where, body)).toMatchObject(BEYOND);
      }
      expect((await read(account)).body).toEqual(before);
      expect(audited[0]).toMatchObject({
        type: 'permission-refused',
        result: 'refused',
        reason: 'beyond-own-permissions',
        actor: 'user',
        actorId: clerk.id,
        clientId: account.id,
        details: { beyond: 'users:write' },
      });
    });
  });

  it('need a permission for each route', async () => {
    const account = await created();
    const [user, reader] = [await api.newUser(), await userWith('reader')];
    const refused = { status: 403, body: { code: 'forbidden' } };
    const secret = account.secrets[0]!.id;
    for (const [method, path, body] of [
      ['POST', '', { name: newName() }],
      ['PATCH', `/${account.id}`, {}],
      ['POST', `/${account.id}/secrets`],
      ['DELETE', `/${account.id}/secrets/${secret}`],
      ['DELETE', `/${account.id}`],
    ] as const) {
      expect(await send(method, path, body, tokenOf(reader))).toMatchObject(refused);
    }
    for (const path of ['', `/${account.id}`]) {
      expect(await send('GET', path, undefined, tokenOf(user))).toMatchObject(refused);
      expect((await send('GET', path, undefined, tokenOf(reader))).status).toBe(200);
    }
  });

  it.each<[object, string, string]>([
    [{}, '/name', 'missing'],
    [{ name: null }, '/name', 'not-a-string'],
    [{ name: '' }, '/name', 'too-short'],
    [{ name: 'a', permissions: null }, '/permissions', 'not-a-list'],
    [{ name: 'a', permissions: ['a b'] }, '/permissions', 'permission-characters'],
    [{ name: 'a', permissions: [{}] }, '/permissions', 'permission-characters'],
    [{ name: 'a', audiences: [] }, '/audiences', 'empty-list'],
    [{ name: 'a', audiences: ['a b'] }, '/audiences', 'audience-characters'],
    [{ name: 'a', jwks: [] }, '/jwks', 'not-a-key-set'],
    [{ name: 'a', jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, '/jwks', 'private-key'],
    [{ name: 'a', clientSecret: 'mine' }, '/clientSecret', 'unknown-member'],
    [{ name: 'a', disabled: true }, '/disabled', 'unknown-member'],
    [{ name: 'a', id: '0'.repeat(8) }, '/id', 'unknown-member'],
  ])('are not created from %j', async (body, pointer, code) => {
    const before = (await send('GET')).body;
    expect(await send('POST', '', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ pointer, code }] },
    });
    expect((await send('GET')).body).toEqual(before);
  });

  it.each<[object, string]>([
    [{ name: null }, 'not-a-string'],
    [{ permissions: null }, 'not-a-list'],
    [{ audiences: null }, 'not-a-list'],
    [{ jwks: null }, 'not-a-key-set'],
    [{ disabled: null }, 'not-a-boolean'],
    [{ disabled: 'yes' }, 'not-a-boolean'],
    [{ secrets: [] }, 'unknown-member'],
  ])('are not changed by %j', async (body, code) => {
    const account = await created();
    const before = (await read(account)).body;
    expect(await send('PATCH', `/${account.id}`, body)).toMatchObject({
      status: 400,
      body: { errors: [{ code }] },
    });
    expect((await read(account)).body).toEqual(before);
  });

  it.each(['x', '0', '%2e%2e', '../roles', '*', 'a'.repeat(36), '{user.1}'])(
    'are not found by the id %j',
    async (id) => {
      const path = `/${encodeURIComponent(id)}`;
      expect((await send('GET', path)).status).toBe(404);
      expect((await send('DELETE', path)).status).toBe(404);
      expect((await send('DELETE', `/${(await created()).id}/secrets${path}`)).status).toBe(404);
    },
  );

  it('are refused with texts in both languages', async () => {
    await created({ name: 'taken' });
    const headers = { 'accept-language': 'zh' };
    const options = { token: root, headers, body: { name: 'taken' } };
    expect((await api.request('POST', PATH, options)).body).toMatchObject({
      title: '名称已被占用',
    });
    const keys = { token: root, headers, body: { name: 'a', jwks: { keys: [{ d: '' }] } } };
    expect(JSON.stringify((await api.request('POST', PATH, keys)).body)).toContain('私钥');
  });

  it('are audited with actor and subject, and without secrets', async () => {
    audited.splice(0);
    const account = await created({ permissions: ['orders:read'] }, tokenOf(clerk));
    const added = await send('POST', `/${account.id}/secrets`, undefined, tokenOf(clerk));
    await send('PATCH', `/${account.id}`, { disabled: true }, tokenOf(clerk));
    const id = String(added.body['id']);
    await send('DELETE', `/${account.id}/secrets/${id}`, undefined, tokenOf(clerk));
    await send('DELETE', `/${account.id}`, undefined, tokenOf(clerk));
    await send('DELETE', `/${account.id}`, undefined, tokenOf(clerk));

    const by = {
      result: 'success',
      actor: 'user',
      actorId: clerk.id,
      actorSessionId: clerk.tokens.session_id,
      clientId: account.id,
      ip: '127.0.0.1',
    };
    expect(audited).toMatchObject([
      {
        ...by,
        type: 'service-account-created',
        details: { permissions: ['orders:read'], audiences: ['keyslot'] },
      },
      { ...by, type: 'client-secret-created', details: { secret: id } },
      {
        ...by,
        type: 'service-account-changed',
        details: { members: ['disabled'], disabled: true },
      },
      { ...by, type: 'client-secret-deleted', details: { secret: id } },
      { ...by, type: 'service-account-deleted' },
    ]);
    const text = JSON.stringify(audited);
    expect(text).not.toContain(account.clientSecret);
    expect(text).not.toContain(String(added.body['clientSecret']));
  });

  it('are refused beyond the maximum number, also for callers at the same time', async () => {
    const list = async (): Promise<number> =>
      ((await send('GET')).body['items'] as unknown[]).length;
    let missing = MAX_SERVICE_ACCOUNTS - 2 - (await list());
    while (missing > 0) {
      const batch = Math.min(missing, 20);
      await Promise.all(Array.from({ length: batch }, async () => created()));
      missing -= batch;
    }

    const answers = await Promise.all(
      Array.from({ length: CALLERS }, async () => send('POST', '', { name: newName() })),
    );

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(answers.find(({ status }) => status === 409)?.body['code']).toBe(
      'too-many-service-accounts',
    );
    expect(await list()).toBe(MAX_SERVICE_ACCOUNTS);
  });
});
