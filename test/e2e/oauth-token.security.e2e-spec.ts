import { SignJWT, type JWTPayload } from 'jose';
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';

import type { AuditEvent } from '../../src/audit/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import type { Answer, HttpClient } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import {
  basic,
  changeAccount,
  createAccount,
  postForm,
  requestToken,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const ISSUER = 'https://keyslot.test';
const TOKEN = '/oauth/token';
const GRANT = { grant_type: 'client_credentials' };
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const CALLERS = 8;
const INVALID_CLIENT = { status: 401, body: { error: 'invalid_client' } };

describe('POST /oauth/token', () => {
  let api: TestApp;
  let other: Instance;
  let root: string;
  let account: TestAccount;
  const audited: AuditEvent[] = [];
  beforeAll(async () => {
    const sink = { record: (event: AuditEvent) => void audited.push(event) };
    api = await startTestApp(
      { ...WITH_ADMINISTRATOR, TRUSTED_PROXIES: '127.0.0.1' },
      { auditSink: { useValue: sink } },
    );
    other = await Instance.start({ REDIS_KEY_PREFIX: api.keyPrefix });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    account = await createAccount(api, root, {
      permissions: ['orders:read', 'orders:write'],
      audiences: ['keyslot', 'orders', 'https://api.example.org/billing'],
    });
  });
  afterAll(async () => {
    await other.stop();
    await api.close();
  });

  const post = async (
    fields: Readonly<Record<string, string>> | string,
    headers = {},
  ): Promise<Answer> => postForm(api, TOKEN, fields, headers);

  it('answers with a token for the account, and no refresh token', async () => {
    const { status, headers, body } = await requestToken(api, account);

    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String) as unknown,
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'orders:read orders:write',
    });
    const { header, payload } = decode(body.access_token);
    const iat = Number(payload['iat']);
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) as unknown });
    expect(payload).toEqual({
      iss: ISSUER,
      aud: 'keyslot',
      sub: account.id,
      client_id: account.id,
      iat,
      exp: iat + 900,
      jti: expect.any(String) as unknown,
      epoch: 0,
    });
  });

  it.each<[string, () => Promise<Answer>]>([
    ['client_secret_basic', async () => post(GRANT, basic(account))],
    [
      'client_secret_basic with encoded parts, and the same client_id in the form',
      async () => {
        const encoded = [account.id, account.clientSecret].map((part) =>
          part.replace(/[-_]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
        );
        const headers = {
          authorization: `bAsIc  ${Buffer.from(encoded.join(':')).toString('base64')}`,
        };
        return post({ ...GRANT, client_id: account.id }, headers);
      },
    ],
    [
      'client_secret_post',
      async () => post({ ...GRANT, client_id: account.id, client_secret: account.clientSecret }),
    ],
    [
      'client_secret_post with fields that are empty or unknown',
      async () =>
        post({
          ...GRANT,
          client_id: account.id,
          client_secret: account.clientSecret,
          client_assertion: '',
          scope: '',
          audience: '',
          unknown: 'x',
        }),
    ],
  ])('accepts %s', async (_, send) => {
    expect((await send()).status).toBe(200);
  });

  it.each<[string, () => Parameters<typeof post>]>([
    ['no credentials', () => [GRANT]],
    ['an unknown client', () => [GRANT, basic({ ...account, id: randomUUID() })]],
    ['a client id that is no id', () => [GRANT, basic({ ...account, id: '*' })]],
    ['no client id', () => [GRANT, basic({ ...account, id: '' })]],
    ['a wrong secret', () => [GRANT, basic({ ...account, clientSecret: `kss_${'A'.repeat(43)}` })]],
    ['no secret', () => [GRANT, basic({ ...account, clientSecret: '' })]],
    [
      'a shortened secret',
      () => [GRANT, basic({ ...account, clientSecret: account.clientSecret.slice(0, -1) })],
    ],
    ['a secret without its client', () => [{ ...GRANT, client_secret: account.clientSecret }]],
    ['a client without its secret', () => [{ ...GRANT, client_id: account.id }]],
    ['an empty header', () => [GRANT, { authorization: '' }]],
    ['another scheme', () => [GRANT, { authorization: `Bearer ${root}` }]],
    ['Basic that is no Base64', () => [GRANT, { authorization: 'Basic !!!' }]],
    ['Basic without a colon', () => [GRANT, { authorization: 'Basic YWJj' }]],
    [
      'Basic with a malformed percent sequence',
      () => [GRANT, { authorization: `Basic ${Buffer.from('%zz:%').toString('base64')}` }],
    ],
    ['a user name and password', () => [GRANT, basic({ id: 'ada', clientSecret: 'password' })]],
  ])('refuses %s', async (_, request) => {
    const answer = await post(...request());
    expect(answer).toMatchObject(INVALID_CLIENT);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="keyslot"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each<[string, () => Parameters<typeof post>, string]>([
    ['no grant type', () => [{}, basic(account)], 'invalid_request'],
    ['an empty body', () => ['', basic(account)], 'invalid_request'],
    ['a password', () => [{ grant_type: 'password' }, basic(account)], 'unsupported_grant_type'],
    [
      'a grant of all objects',
      () => [{ grant_type: 'toString' }, basic(account)],
      'unsupported_grant_type',
    ],
    [
      'two methods of authentication',
      () => [{ ...GRANT, client_secret: account.clientSecret }, basic(account)],
      'invalid_request',
    ],
    [
      'a secret and an assertion',
      () => [
        {
          ...GRANT,
          client_id: account.id,
          client_secret: account.clientSecret,
          client_assertion: 'x',
          client_assertion_type: JWT_BEARER,
        },
      ],
      'invalid_request',
    ],
    [
      'another client in the form',
      () => [{ ...GRANT, client_id: randomUUID() }, basic(account)],
      'invalid_request',
    ],
    [
      'another type of assertion',
      () => [{ ...GRANT, client_assertion: 'x', client_assertion_type: 'saml' }],
      'invalid_request',
    ],
    [
      'a repeated field',
      () => [`grant_type=client_credentials&scope=a&scope=b`, basic(account)],
      'invalid_request',
    ],
    [
      'a permission that it lacks',
      () => [{ ...GRANT, scope: 'users:write' }, basic(account)],
      'invalid_scope',
    ],
    [
      'one that it has and one that it lacks',
      () => [{ ...GRANT, scope: 'orders:read x' }, basic(account)],
      'invalid_scope',
    ],
    [
      'two spaces in the scope',
      () => [{ ...GRANT, scope: 'orders:read  orders:write' }, basic(account)],
      'invalid_scope',
    ],
    [
      'another audience',
      () => [{ ...GRANT, audience: 'payroll' }, basic(account)],
      'invalid_target',
    ],
    [
      'another resource',
      () => [{ ...GRANT, resource: 'https://other.example' }, basic(account)],
      'invalid_target',
    ],
    [
      'two audiences in one field',
      () => [{ ...GRANT, audience: 'keyslot orders' }, basic(account)],
      'invalid_target',
    ],
  ])('refuses %s', async (_, request, error) => {
    expect(await post(...request())).toMatchObject({ status: 400, body: { error } });
  });

  it('refuses JSON, other methods, and several Authorization headers', async () => {
    const headers = { ...basic(account), 'content-type': 'application/json' };
    const json = await api.request('POST', TOKEN, { body: GRANT, headers });
    expect(json).toMatchObject({ status: 415, body: { error: 'invalid_request' } });
    expect(json.body.error_description).toContain('application/x-www-form-urlencoded');
    const get = await api.request('GET', `${TOKEN}?grant_type=client_credentials`, {
      headers: basic(account),
    });
    expect(get).toMatchObject({ status: 405, body: { error: 'invalid_request' } });
    const line = `Authorization: ${basic(account).authorization}`;
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const body = 'grant_type=client_credentials';
    const once = await rawHttp(api.url, rawRequest('POST', TOKEN, [line, form], body));
    expect(statusOf(once)).toBe(200);
    const twice = await rawHttp(api.url, rawRequest('POST', TOKEN, [line, line, form], body));
    expect(statusOf(twice)).toBe(400);
  });

  it('limits the token to the scope, and names it', async () => {
    const { body } = await requestToken(api, account, { scope: 'orders:write orders:write' });
    expect(body.scope).toBe('orders:write');
    expect(decode(body.access_token).payload['scope']).toBe('orders:write');
    const poor = await createAccount(api, root);
    expect((await requestToken(api, poor)).body).not.toHaveProperty('scope');
  });

  it('issues tokens for the audiences that the account may ask for', async () => {
    const audienceOf = async (fields: Record<string, string>): Promise<unknown> =>
      decode(await tokenOf(api, account, fields)).payload['aud'];
    const resource = 'https://api.example.org/billing';
    expect(await audienceOf({ audience: 'orders' })).toBe('orders');
    expect(await audienceOf({ resource })).toBe(resource);
    expect(await audienceOf({ audience: resource, resource })).toBe(resource);
    expect(await audienceOf({ audience: 'orders', resource })).toEqual(['orders', resource]);
    // A token for another service is not one for Keyslot.
    const foreign = await tokenOf(api, account, { audience: 'orders' });
    expect((await api.ownUser(foreign)).status).toBe(401);
  });

  it('accepts both secrets, and refuses a deleted one at once, on every instance', async () => {
    const changing = await createAccount(api, root);
    const path = `/api/service-accounts/${changing.id}/secrets`;
    const { body: second } = await api.request('POST', path, { token: root });
    const renewed = { ...changing, clientSecret: String(second['clientSecret']) };
    const statuses = async (): Promise<number[]> => {
      const asked = [api, other].flatMap((at: HttpClient) =>
        [changing, renewed].map(async (one) => (await requestToken(at, one)).status),
      );
      return Promise.all(asked);
    };
    expect(await statuses()).toEqual([200, 200, 200, 200]);

    const removed = await api.request('DELETE', `${path}/${changing.secrets[0]!.id}`, {
      token: root,
    });
    expect(removed.status).toBe(204);

    expect(await statuses()).toEqual([401, 200, 401, 200]);
    await changeAccount(api, root, changing, { disabled: true });
    expect(await statuses()).toEqual([401, 401, 401, 401]);
    await changeAccount(api, root, changing, { disabled: false });
    expect(await statuses()).toEqual([401, 200, 401, 200]);
    await api.request('DELETE', `/api/service-accounts/${changing.id}`, { token: root });
    expect(await statuses()).toEqual([401, 401, 401, 401]);
  });

  it('records tokens and refused credentials, and no secret', async () => {
    audited.splice(0);
    await requestToken(api, account, { scope: 'orders:read' });
    await post(GRANT, basic({ ...account, clientSecret: 'a wrong secret' }));
    const off = await createAccount(api, root);
    await changeAccount(api, root, off, { disabled: true });
    await requestToken(api, off);

    expect(audited.filter(({ type }) => type.startsWith('client-'))).toMatchObject([
      {
        type: 'client-token-issued',
        result: 'success',
        actor: 'client',
        actorId: account.id,
        clientId: account.id,
        details: { audiences: ['keyslot'], scope: ['orders:read'] },
      },
      {
        type: 'client-refused',
        result: 'refused',
        reason: 'wrong-credentials',
        actor: 'anonymous',
      },
      { type: 'client-refused', result: 'refused', reason: 'disabled', clientId: off.id },
    ]);
    expect(JSON.stringify(audited)).not.toMatch(/kss_|a wrong secret/);
  });

  it('limits wrong credentials per address, and locks out no account and no right client', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const wrong = { ...basic({ ...account, clientSecret: 'wrong' }), ...from('192.0.2.7') };
    for (let count = 0; count < 100; count += 1) {
      expect((await post(GRANT, wrong)).status).toBe(401);
    }

    const blocked = await post(GRANT, wrong);

    expect(blocked).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(audited.at(-1)).toMatchObject({
      type: 'attempt-throttled',
      details: { attempt: 'client-authentication' },
    });
    expect((await post(GRANT, { ...basic(account), ...from('192.0.2.7') })).status).toBe(200);
    expect((await post(GRANT, { ...wrong, ...from('192.0.2.8') })).status).toBe(401);
  });

  describe('with private_key_jwt', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ed = generateKeyPairSync('ed25519');
    const jwk = (key: KeyObject, kid: string): object => ({
      ...key.export({ format: 'jwk' }),
      kid,
    });
    let holder: TestAccount;
    beforeAll(async () => {
      holder = await createAccount(api, root, {
        jwks: {
          keys: [jwk(ec.publicKey, 'ec'), jwk(rsa.publicKey, 'rsa'), jwk(ed.publicKey, 'ed')],
        },
      });
    });

    interface Assertion {
      readonly claims?: JWTPayload;
      readonly header?: object;
      readonly key?: KeyObject;
    }
    const now = (): number => Math.floor(Date.now() / 1000);
    const sign = async ({ claims = {}, header = {}, key = ec.privateKey }: Assertion = {}) => {
      const payload = {
        iss: holder.id,
        sub: holder.id,
        aud: ISSUER,
        exp: now() + 60,
        jti: randomUUID(),
        ...claims,
      };
      const signer = new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...header });
      return signer.sign(key, { crit: { x: true } });
    };
    const send = async (assertion: string, fields = {}, at: HttpClient = api): Promise<Answer> =>
      postForm(at, TOKEN, {
        ...GRANT,
        client_assertion_type: JWT_BEARER,
        client_assertion: assertion,
        ...fields,
      });

    it.each<[string, () => Assertion]>([
      ['EC', () => ({})],
      ['EC, with the id of the key', () => ({ header: { kid: 'ec' } })],
      ['RSA (RS256)', () => ({ key: rsa.privateKey, header: { alg: 'RS256' } })],
      ['RSA (PS256)', () => ({ key: rsa.privateKey, header: { alg: 'PS256' } })],
      ['Ed25519 (EdDSA)', () => ({ key: ed.privateKey, header: { alg: 'EdDSA', kid: 'ed' } })],
      ['Ed25519', () => ({ key: ed.privateKey, header: { alg: 'Ed25519' } })],
      ['the token endpoint as audience', () => ({ claims: { aud: `${ISSUER}${TOKEN}` } })],
      ['a list with one audience', () => ({ claims: { aud: [ISSUER] } })],
      ['five minutes', () => ({ claims: { exp: now() + 300 } })],
      ['a type and a time', () => ({ header: { typ: 'JWT' }, claims: { iat: now(), nbf: now() } })],
    ])('accepts %s', async (_, assertion) => {
      expect((await send(await sign(assertion()))).status).toBe(200);
      expect((await send(await sign(assertion()), { client_id: holder.id })).status).toBe(200);
    });

    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    it.each<[string, () => Assertion]>([
      ['another key', () => ({ key: stranger.privateKey })],
      ['another key with a known id', () => ({ key: stranger.privateKey, header: { kid: 'ec' } })],
      ['the id of another key', () => ({ header: { kid: 'ed' } })],
      ['an unknown id', () => ({ header: { kid: 'x' } })],
      [
        'its key in the header',
        () => ({ key: stranger.privateKey, header: { jwk: jwk(stranger.publicKey, 'ec') } }),
      ],
      ['an unknown client', () => ({ claims: { iss: randomUUID() } })],
      ['another subject', () => ({ claims: { sub: randomUUID() } })],
      ['another account without keys', () => ({ claims: { iss: account.id, sub: account.id } })],
      ['another audience', () => ({ claims: { aud: 'https://other.example' } })],
      ['several audiences', () => ({ claims: { aud: [ISSUER, 'https://other.example'] } })],
      ['no audience', () => ({ claims: { aud: undefined as never } })],
      ['no expiry', () => ({ claims: { exp: undefined as never } })],
      ['an expiry in the past', () => ({ claims: { exp: now() - 60 } })],
      ['a long life', () => ({ claims: { exp: now() + 400 } })],
      ['a start in the future', () => ({ claims: { nbf: now() + 60 } })],
      ['no id', () => ({ claims: { jti: undefined as never } })],
      ['an empty id', () => ({ claims: { jti: '' } })],
      ['a long id', () => ({ claims: { jti: 'x'.repeat(1001) } })],
      ['an id that is no text', () => ({ claims: { jti: 7 as never } })],
      ['a critical extension', () => ({ header: { crit: ['x'], x: true } })],
    ])('refuses %s', async (_, assertion) => {
      expect(await send(await sign(assertion()))).toMatchObject(INVALID_CLIENT);
    });

    it.each<[string, () => Promise<string>]>([
      ['nothing signed', async () => `${(await sign()).split('.').slice(0, 2).join('.')}.`],
      [
        'no algorithm',
        async () => {
          const [, payload] = (await sign()).split('.');
          return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
        },
      ],
      [
        'a symmetric key: the public one',
        async () => {
          const secret = Buffer.from(JSON.stringify(ec.publicKey.export({ format: 'jwk' })));
          const claims = { iss: holder.id, sub: holder.id, aud: ISSUER, exp: now() + 60, jti: 'a' };
          return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret);
        },
      ],
      ['an access token', async () => Promise.resolve(root)],
      ['a text', async () => Promise.resolve('x')],
      ['a long text', async () => Promise.resolve(`${'x'.repeat(9000)}.x.x`)],
    ])('refuses %s', async (_, assertion) => {
      expect(await send(await assertion())).toMatchObject(INVALID_CLIENT);
    });

    it('refuses another client_id in the form', async () => {
      expect(await send(await sign(), { client_id: account.id })).toMatchObject(INVALID_CLIENT);
    });

    it('accepts an assertion once, also from callers at the same time on several instances', async () => {
      for (let round = 0; round < 3; round += 1) {
        const assertion = await sign();
        const answers = await Promise.all(
          Array.from({ length: CALLERS }, async (_, index) =>
            send(assertion, {}, index % 2 === 0 ? api : other),
          ),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
        expect(answers.filter(({ status }) => status === 401)).toHaveLength(CALLERS - 1);
        expect((await send(assertion)).status).toBe(401);
      }
    });

    it('keeps ids apart by client, and does not spend the id of a refused assertion', async () => {
      const second = await createAccount(api, root, { jwks: { keys: [jwk(ec.publicKey, 'ec')] } });
      const jti = randomUUID();
      const forged = await sign({ claims: { jti }, key: stranger.privateKey });
      expect((await send(forged)).status).toBe(401);
      expect((await send(await sign({ claims: { jti } }))).status).toBe(200);
      const claims = { jti, iss: second.id, sub: second.id };
      expect((await send(await sign({ claims }))).status).toBe(200);
    });

    it('refuses a removed key at once, on every instance', async () => {
      expect((await send(await sign(), {}, other)).status).toBe(200);
      await changeAccount(api, root, holder, { jwks: { keys: [jwk(rsa.publicKey, 'rsa')] } });

      expect((await send(await sign(), {}, other)).status).toBe(401);
      const assertion = { key: rsa.privateKey, header: { alg: 'RS256' } };
      expect((await send(await sign(assertion), {}, other)).status).toBe(200);
    });
  });
});
