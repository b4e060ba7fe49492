import { Agent, METHODS, request } from 'node:http';
import type { Socket } from 'node:net';

import type { AuditEvent } from '../../src/audit/index.js';
import { startAdministration, type Administration } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** Envoy appends the path of the original request, and lets requests through only at 200. */
const BELOW = '/forward-auth/orders/17?a=b';
const PATHS = ['/forward-auth', BELOW];
const successOf = (path: string): number => (path.startsWith('/forward-auth/') ? 200 : 204);
/** Node cannot serve CONNECT as a request. */
const EVERY_METHOD = METHODS.filter((method) => method !== 'CONNECT');
const BODYLESS = ['GET', 'HEAD', 'TRACE'];
const ROLES = { clerk: ['orders:read'], chief: ['orders:read', 'orders:write'] };
const PAGE = 'https://app.example.com';
const CHALLENGE = 'Bearer realm="keyslot"';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer;
  /** Without Content-Length. */
  readonly isChunked?: boolean;
}

interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly socket: Socket;
}

/** Sends any method with any body. */
async function send(url: string, sent: Sent, agent?: Agent): Promise<Received> {
  const { method, path, body, isChunked } = sent;
  const length = body === undefined || isChunked ? {} : { 'content-length': body.length };
  const headers = { ...sent.headers, ...length, ...(isChunked ? CHUNKED : {}) };
  return new Promise((done, fail) => {
    // A path in the URL would be normalized.
    const outgoing = request(url, { path, method, headers, ...(agent ? { agent } : {}) });
    const socket = new Promise<Socket>((known) => outgoing.once('socket', known));
    outgoing.once('error', fail).once('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (part: string) => (text += part));
      incoming.once('end', () => {
        const { statusCode: status = 0, headers: received } = incoming;
        void socket.then((one) => done({ status, headers: received, text, socket: one }));
      });
    });
    outgoing.end(body);
  });
}
const CHUNKED = { 'transfer-encoding': 'chunked' };

const identityOf = ({ headers }: Answer<unknown>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-auth-')));

describe('forward auth', () => {
  let api: TestApp;
  let user: TestUser;
  const audited: AuditEvent[] = [];
  beforeAll(async () => {
    const auditSink = { useValue: { record: (event: AuditEvent) => void audited.push(event) } };
    api = await startTestApp({ CORS_ORIGINS: PAGE }, { roles: ROLES, auditSink });
    user = await api.newUser();
  });
  afterAll(async () => api.close());

  const ask = async (path = '/forward-auth', token?: string, method = 'GET'): Promise<Answer> =>
    api.request(method, path, token === undefined ? {} : { token });
  const authorization = (): Record<string, string> => ({
    authorization: `Bearer ${user.tokens.access_token}`,
  });

  it.each(PATHS)('tells who sends the request: %s', async (path) => {
    const answer = await ask(path, user.tokens.access_token);

    expect(answer).toMatchObject({ status: successOf(path), body: '' });
    expect(identityOf(answer)).toEqual({
      'x-auth-subject': user.id,
      'x-auth-session': user.tokens.session_id,
      'x-auth-roles': '',
      'x-auth-username': user.username,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toBeNull();
    expect(answer.headers.get('connection')).toBe('keep-alive');
    // Without a body, nginx keeps its connection.
    expect(answer.headers.get('content-length')).toBe(path === BELOW ? '0' : null);
  });

  it('answers every method the same, and without a token 401 (77)', async () => {
    for (const method of EVERY_METHOD) {
      for (const path of PATHS) {
        const sent = { method, path, headers: authorization() };
        const accepted = await send(api.url, sent);
        const refused = await send(api.url, { ...sent, headers: {} });

        expect({ method, path, status: accepted.status, text: accepted.text }).toEqual({
          method,
          path,
          status: successOf(path),
          text: '',
        });
        expect(accepted.headers['x-auth-subject']).toBe(user.id);
        expect({ method, path, status: refused.status }).toEqual({ method, path, status: 401 });
        expect(refused.headers).toMatchObject({ 'www-authenticate': CHALLENGE });
        expect(Object.keys(refused.headers).filter((name) => /^x-auth-/.test(name))).toEqual([]);
      }
    }
  });

  it.each([
    ['a token that is none', 'abc', `${CHALLENGE}, error="invalid_token"`],
    ['no token', undefined, CHALLENGE],
  ])('refuses %s', async (_, token, challenge) => {
    const { status, headers, body } = await ask('/forward-auth', token);

    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe(challenge);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body['code']).toBe(token === undefined ? 'missing-token' : 'invalid-token');
  });

  it('refuses several Authorization headers', async () => {
    const { authorization: value } = authorization();
    const fields = [`Authorization: ${value}`, `Authorization: ${value}`];

    expect(statusOf(await rawHttp(api.url, rawRequest('GET', '/forward-auth', fields)))).toBe(401);
  });

  describe('ignores the body', () => {
    const big = Buffer.alloc(1024 * 1024, 'a');
    const bodies: [string, Record<string, string>, string | Buffer][] = [
      ['malformed JSON', { 'content-type': 'application/json' }, '{"a":'],
      ['deep JSON', { 'content-type': 'application/json' }, '['.repeat(5000)],
      ['a large JSON', { 'content-type': 'application/json' }, big],
      ['a large form', { 'content-type': 'application/x-www-form-urlencoded' }, big],
      ['a malformed content type', { 'content-type': ';;=' }, 'a'],
      ['no content type', {}, big],
      ['parts', { 'content-type': 'multipart/form-data; boundary=a' }, '--a'],
      ['a compressed body', { 'content-type': 'a/b', 'content-encoding': 'gzip' }, 'no gzip'],
      ['invalid UTF-8', { 'content-type': 'application/json' }, Buffer.from([0xff])],
      ['an empty body', { 'content-type': 'application/json' }, ''],
    ];

    it.each(bodies)('%s, and keeps the connection', async (_, headers, body) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const sockets = new Set<Socket>();
      for (const method of EVERY_METHOD) {
        for (const isChunked of [false, true]) {
          for (const [fields, expected] of [
            [authorization(), 204],
            [{}, 401],
          ] as const) {
            const sent = {
              method,
              path: '/forward-auth',
              headers: { ...fields, ...headers },
              body,
            };
            const { status, socket } = await send(api.url, { ...sent, isChunked }, agent);
            expect({ method, isChunked, status }).toEqual({ method, isChunked, status: expected });
            sockets.add(socket);
          }
        }
      }
      agent.destroy();
      expect(sockets.size).toBe(1);
    });

    it('without waiting for it', async () => {
      for (const method of EVERY_METHOD.filter((name) => !BODYLESS.includes(name))) {
        const head = [`Authorization: ${authorization()['authorization']}`, 'Content-Length: 99'];
        const answer = await rawHttp(
          api.url,
          `${rawRequest(method, '/forward-auth', head)}only a part`,
        );
        expect({ method, status: statusOf(answer) }).toEqual({ method, status: 204 });
      }
    });
  });

  it('ignores what belongs to the request that the proxy asks about', async () => {
    for (const path of [
      '/forward-auth?a=b&a=c&limit=9999&cursor[]=x',
      '/forward-auth/../api/users?limit=-1',
      '/forward-auth//orders;a=b/%2e%2e/%2F',
      '/forward-auth/?/files/%E9t%E9?q=%zz&permission=nobody-has-this',
      `/forward-auth/${'a'.repeat(4000)}`,
    ]) {
      const sent = { method: 'GET', path, headers: {} };
      const accepted = await send(api.url, { ...sent, headers: authorization() });
      expect({ path, status: accepted.status }).toEqual({ path, status: successOf(path) });
      expect({ path, status: (await send(api.url, sent)).status }).toEqual({ path, status: 401 });
    }
  });

  describe('with ?permission=', () => {
    const required = '/forward-auth?permission=orders:read&permission=orders:write';
    let admin: TestUser;
    beforeEach(() => audited.splice(0));
    beforeAll(async () => {
      admin = await api.newUser();
    });

    it('refuses a user without it, and records the refusal', async () => {
      for (const path of [required, '/forward-auth?permission=', `${required}&permission=other`]) {
        const answer = await ask(path, user.tokens.access_token);
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
        expect(identityOf(answer)).toEqual({});
      }
      expect(audited).toHaveLength(3);
      expect(audited[0]).toMatchObject({
        type: 'permission-refused',
        result: 'refused',
        reason: 'missing-permission',
        actorId: user.id,
        actorSessionId: user.tokens.session_id,
        details: { required: ['orders:read', 'orders:write'] },
      });
    });

    it.each([
      ['a limited number of names', Array<string>(100).fill('a'), Array<string>(20).fill('a')],
      [
        'a limited number of characters',
        Array<string>(100).fill('a'.repeat(100)),
        Array<string>(2).fill('a'.repeat(100)),
      ],
      [
        'only names that a permission can have',
        ['%01'.repeat(100), 'a'.repeat(140), '', 'orders:read'],
        ['orders:read'],
      ],
    ])('records %s', async (_, names, recorded) => {
      const query = names.map((name) => `permission=${name}`).join('&');

      expect((await ask(`/forward-auth?${query}`, admin.tokens.access_token)).status).toBe(403);
      expect(audited[0]!.details!['required']).toEqual(recorded);
    });
  });

  /** Each answer of the class 2xx lets a request through. */
  describe('without a token never answers with success', () => {
    const preflight = (origin: string): string[] => [
      `Origin: ${origin}`,
      'Access-Control-Request-Method: DELETE',
      'Access-Control-Request-Headers: authorization',
    ];

    it('to a preflight of an allowed page (77, 85)', async () => {
      expect(
        statusOf(await rawHttp(api.url, rawRequest('OPTIONS', '/api/user', preflight(PAGE)))),
      ).toBe(204);
      for (const target of [
        ...PATHS,
        '/forward-auth?',
        '/forward-auth/',
        '/forward-auth/%zz',
        '/forward-auth/%E9',
        '/forward-auth%',
        '/forward-auth*',
        '/forward-authority',
        '/Forward-Auth',
        `${api.url}/forward-auth`,
        `${api.url}/forward-auth/%zz`,
      ]) {
        for (const fields of [
          preflight(PAGE),
          preflight('https://evil.test'),
          [`Origin: ${PAGE}`],
        ]) {
          const answer = await rawHttp(api.url, rawRequest('OPTIONS', target, fields));
          expect({ target, isRefused: statusOf(answer) >= 400 }).toEqual({
            target,
            isRefused: true,
          });
        }
      }
      const withToken = await send(api.url, {
        method: 'OPTIONS',
        path: '/forward-auth',
        headers: { ...authorization(), origin: PAGE, 'access-control-request-method': 'DELETE' },
      });
      expect(withToken).toMatchObject({ status: 204, headers: { 'x-auth-subject': user.id } });
    });

    it('in any spelling, with any method (77)', async () => {
      for (const target of [
        '/forward-auth/',
        '//forward-auth',
        '/forward-auth//',
        '/forward-auth;a=b',
        '/forward-auth%2f',
        '/%66orward-auth',
        '/FORWARD-AUTH',
        '/forward-auth/health/live',
        '/forward-auth/../health/live',
        '/forward-auth/%2e%2e/health/live',
        '/forward-auth/docs',
        '/forward-auth/%zz',
      ]) {
        for (const method of EVERY_METHOD) {
          const answer = await rawHttp(api.url, rawRequest(method, target));
          expect({ method, target, isRefused: statusOf(answer) >= 400 }).toEqual({
            method,
            target,
            isRefused: true,
          });
        }
      }
    });
  });

  /** The forms in the documentation of the proxies. */
  describe('understands the requests of proxies', () => {
    it('Traefik, Caddy: GET, with the original request in X-Forwarded-*', async () => {
      const headers = {
        ...authorization(),
        'x-forwarded-method': 'POST',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'orders.example.com',
        'x-forwarded-uri': '/orders?permission=nobody-has-this',
        'x-forwarded-for': '203.0.113.7',
        // Traefik and Caddy copy the headers of the request, including those of a body that they do not send.
        'content-type': 'application/json',
      };
      expect(await send(api.url, { method: 'GET', path: '/forward-auth', headers })).toMatchObject({
        status: 204,
        headers: { 'x-auth-subject': user.id },
      });
    });

    it('Envoy: the method, path and body of the original request', async () => {
      for (const [prefix, expected] of [
        ['/forward-auth', 200],
        ['/forward-auth/?', 200],
        ['/forward-auth/?permission=orders:read&', 403],
      ] as const) {
        const sent = {
          method: 'POST',
          path: `${prefix}/orders?limit=x`,
          headers: {
            ...authorization(),
            host: 'orders.example.com',
            'content-type': 'application/json',
            'x-envoy-internal': 'true',
            'x-envoy-auth-partial-body': 'true',
          },
          body: '{"cut',
        };
        expect({ prefix, status: (await send(api.url, sent)).status }).toEqual({
          prefix,
          status: expected,
        });
      }
      // Without a body, Envoy sends Content-Length: 0.
      const path = '/forward-auth/orders';
      const empty = { method: 'PUT', path, headers: authorization(), body: '' };
      expect((await send(api.url, empty)).status).toBe(200);
    });
  });

  it('sends a user name in a form that is a valid header, and no displayed name', async () => {
    const names = ['größe-浏览器', 'größe', '浏览器', 'ada@example.org', "o'brien"];
    for (const name of names) {
      const username = `${name}-${user.id.slice(0, 8)}`;
      const registered = await api.register(username);
      expect({ name, status: registered.status }).toEqual({ name, status: 201 });
      const { body: tokens } = await api.login(username);
      const token = tokens.access_token;
      const displayName = 'Ada 浏览器, X-Auth-Roles: admin';
      await api.request('PATCH', '/api/user', { token, body: { displayName } });

      const answer = await ask('/forward-auth', token);
      expect({ name, status: answer.status }).toEqual({ name, status: 204 });
      const sent = answer.headers.get('x-auth-username')!;

      expect(sent).toMatch(/^[!-~]+$/);
      expect(decodeURIComponent(sent)).toBe((await api.ownUser(token)).body['username']);
      expect(Object.keys(identityOf(answer)).sort()).toEqual([
        'x-auth-roles',
        'x-auth-session',
        'x-auth-subject',
        'x-auth-username',
      ]);
      expect(JSON.stringify([...answer.headers])).not.toContain('Ada');
    }
  });
});

describe('forward auth after a change', () => {
  let admin: Administration;
  let user: TestUser;
  beforeAll(async () => {
    admin = await startAdministration();
  });
  afterAll(async () => admin.stop());
  beforeEach(async () => {
    user = await admin.api.newUser();
  });

  const askEach = async (path = '/forward-auth'): Promise<Answer[]> => {
    const { access_token: token } = user.tokens;
    return Promise.all(
      [admin.api, admin.other].map(async (one) => one.request('GET', path, { token })),
    );
  };
  const expectEach = async (status: number, path?: string): Promise<Answer[]> => {
    const answers = await askEach(path);
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    return answers;
  };

  it('refuses the first request after a logout', async () => {
    await expectEach(204);
    expect((await admin.other.logout(user.tokens.access_token)).status).toBe(204);
    await expectEach(401);
  });

  it('refuses a user who was disabled, and one who was deleted', async () => {
    await expectEach(204);
    expect((await admin.asAdmin('PATCH', user.id, { disabled: true })).status).toBe(200);
    await expectEach(401);
    user = await admin.api.newUser();
    await expectEach(204);
    expect((await admin.asAdmin('DELETE', user.id)).status).toBe(204);
    await expectEach(401);
  });

  it('applies the current roles, whatever the token says (104)', async () => {
    const path = '/forward-auth?permission=users:read&permission=users:write';
    await expectEach(403, path);
    expect((await admin.asAdmin('PATCH', user.id, { roles: ['admin'] })).status).toBe(200);
    for (const { headers } of await expectEach(204, path)) {
      expect(headers.get('x-auth-roles')).toBe('admin');
    }
    expect((await admin.asAdmin('PATCH', user.id, { roles: [] })).status).toBe(200);
    await expectEach(403, path);
  });
});

describe('forward auth of another application', () => {
  it('has the same path when the application has a global prefix', async () => {
    const prefixed = await startTestApp({}, { configure: (app) => app.setGlobalPrefix('v1') });
    try {
      for (const path of PATHS) {
        expect((await prefixed.request('GET', path)).status).toBe(401);
        expect((await prefixed.request('GET', `/v1${path}`)).status).toBe(404);
      }
    } finally {
      await prefixed.close();
    }
  });

  it('is not served on the management port', async () => {
    const port = await freePort();
    const managed = await startTestApp({ MANAGEMENT_PORT: String(port) });
    const { tokens } = await managed.newUser();
    try {
      for (const method of EVERY_METHOD) {
        const headers = { authorization: `Bearer ${tokens.access_token}` };
        const sent = { method, path: '/forward-auth', headers };
        expect((await send(`http://127.0.0.1:${port}`, sent)).status).toBe(404);
      }
    } finally {
      await managed.close();
    }
  });
});
