import { startBadInput, type BadInput } from '../support/bad-input.js';
import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

const TYPES = [
  'application/json; charset=utf-8',
  'application/problem+json; charset=utf-8',
  'text/html; charset=utf-8',
  'text/plain; version=0.0.4; charset=utf-8',
];
const PAGES = ['/docs', '/problems', '/problems/not-found', '/docs-json', '/nothing'];

/** Requirements 83, 84, 86 and 87, for every operation of the OpenAPI document. */
describe('a response', () => {
  let input: BadInput;
  let answers: [what: string, answer: Answer<unknown>][];
  beforeAll(async () => {
    input = await startBadInput();
    answers = await everyAnswer();
  });
  afterAll(async () => input.stop());

  /** Responses to requests with a valid token, an invalid token and no token. None of them changes a user. */
  const everyAnswer = async (): Promise<typeof answers> => {
    const all: typeof answers = [];
    const ask = async (method: string, path: string, options = {}): Promise<void> => {
      all.push([`${method} ${path}`, await input.api.request(method, path, options)]);
    };
    for (const operation of input.operations) {
      const { method } = operation;
      const path = input.pathOf(operation);
      await ask(method, path, { body: method === 'GET' ? undefined : {} });
      await ask(method, path, { token: 'rubbish' });
      if (method === 'GET') {
        await ask(method, path, { token: input.admin.access_token });
      }
    }
    for (const path of PAGES) {
      await ask('GET', path);
    }
    return all;
  };

  it('has a content type, forbids framing and sniffing, and does not name its server (83)', () => {
    expect(new Set(answers.map(([, { status }]) => status))).toEqual(
      new Set([200, 204, 400, 401, 404]),
    );
    for (const [what, { status, headers }] of answers) {
      const type = headers.get('content-type') ?? '';
      const isRight = status === 204 ? type === '' : TYPES.includes(type);
      expect({ what, type: isRight || type }).toEqual({ what, type: true });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none';.*frame-ancestors 'none'$/,
      );
      expect(headers.get('server')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it.each([
    ['a URL that cannot be decoded', rawRequest('GET', '/api/%zz')],
    ['the method CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['invalid HTTP', 'rubbish\r\n\r\n'],
    ['a header section that is too large', rawRequest('GET', '/', [`A: ${'a'.repeat(20_000)}`])],
  ])('to %s is no exception (83)', async (_, message) => {
    const answer = await rawHttp(input.api.url, message);

    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    expect(answer).toMatch(/^content-type: application\/problem\+json; charset=utf-8\r$/im);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(answer).toMatch(/^referrer-policy: no-referrer\r$/im);
    expect(answer).toMatch(
      /^content-security-policy: default-src 'none'; frame-ancestors 'none'\r$/im,
    );
    expect(answer).not.toMatch(/^(server|x-powered-by):/im);
  });

  it('with personal data or a token is not cached (84)', async () => {
    const { api } = input;
    const user = await api.newUser();
    const login = await api.login(user.username);
    const personal = [
      login,
      await api.login(user.username, 'not the password at all'),
      await api.refresh(login.body.refresh_token),
      await api.refresh('rubbish'),
      await api.register('somebody-else', GOOD_PASSWORD),
      ...answers.filter(([what]) => what.includes('/api/')).map(([, one]) => one),
    ];

    expect(personal.slice(0, 3).map(({ status }) => status)).toEqual([200, 401, 200]);
    for (const { headers } of personal) {
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('sets no cookie except the device cookie at login, and a cookie authenticates nobody (86)', async () => {
    const { api, user } = input;
    const login = await api.login(user.username);
    const { access_token: token } = login.body;
    const named = ['access_token', 'token', 'jwt', 'session', 'authorization', '__Host-token'];
    const device = login.headers.get('set-cookie')!;
    const cookie = [device, ...named.map((name) => `${name}=${token}`)].join('; ');

    const refused = await api.request('GET', '/api/user', { headers: { cookie } });

    expect(refused.status).toBe(401);
    // Without TLS, as in development. Over HTTPS the cookie is also Secure: see device-cookies.spec.ts.
    expect(device).toMatch(
      /^keyslot-device=[\w.-]+; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Strict$/,
    );
    for (const { headers } of [refused, ...answers.map(([, one]) => one)]) {
      expect(headers.get('set-cookie')).toBeNull();
    }
  });

  it('to GET, HEAD or OPTIONS has no side effect (87)', async () => {
    const statuses = new Set<number>();
    await input.expectNothingChanged(async () => {
      for (const operation of input.operations) {
        for (const method of ['GET', 'HEAD', 'OPTIONS']) {
          const { status } = await input.api.request(method, input.pathOf(operation), {
            token: input.admin.access_token,
          });
          statuses.add(status);
        }
      }
    });
    expect([...statuses].sort()).toEqual([200, 204, 405]);
  });
});
