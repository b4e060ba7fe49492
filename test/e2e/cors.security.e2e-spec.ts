import { rawHttp, rawRequest } from '../support/raw-http.js';
import type { Answer } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const LISTED = [
  'https://app.example.com',
  'http://localhost:5173',
  'capacitor://localhost',
  'chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai',
];
/** Headers that common tracing and HTTP libraries send from a page. */
const SENT_BY_LIBRARIES = [
  'traceparent',
  'tracestate',
  'baggage',
  'x-request-id',
  'x-requested-with',
];
const ABOUT_CORS = /^access-control-/;

const corsHeaders = ({ headers }: Answer<unknown>): string[] =>
  [...headers.keys()].filter((name) => ABOUT_CORS.test(name));

/** Requirement 85, with the requests that a browser sends for a page. */
describe('a page of another origin', () => {
  let api: TestApp;
  beforeAll(async () => {
    api = await startTestApp({ CORS_ORIGINS: LISTED.join(', ') });
  });
  afterAll(async () => api.close());

  const preflight = async (origin: string, path = '/api/user'): Promise<Answer<unknown>> =>
    api.request('OPTIONS', path, {
      headers: {
        origin,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const read = async (origin: string): Promise<Answer<unknown>> =>
    api.request('GET', '/api/user', { headers: { origin } });

  it.each(LISTED)(
    'that is listed may call the API and read its responses: %s (85)',
    async (origin) => {
      const asked = await preflight(origin);
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
      expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect(asked.headers.get('access-control-allow-headers')).toMatch(
        /Authorization.*Content-Type/,
      );

      const { tokens } = await api.newUser();
      const answer = await api.request('GET', '/api/user', {
        token: tokens.access_token,
        headers: { origin },
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      // Error codes and Retry-After must be readable as well.
      const refused = await read(origin);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
      expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After');
    },
  );

  it.each([
    'null',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.test',
    'https://evilapp.example.com',
    'https://sub.app.example.com',
    'https://example.com',
    'https://APP.example.com',
    'https://app.example.com/',
    'https://app.example.com,https://evil.test',
    'https://appXexample.com',
    'http://localhost',
    'http://localhost:51730',
    '*',
    '',
  ])('that is not listed gets no CORS headers: %s (85)', async (origin) => {
    for (const answer of [await preflight(origin), await read(origin)]) {
      expect(corsHeaders(answer)).toEqual([]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
    }
  });

  it('gets no response that a cache may reuse for another origin, and none that allows credentials (85)', async () => {
    const others = ['/', '/docs', '/docs-json', '/problems', '/problems/not-found', '/metrics'];
    for (const path of [
      '/api/user',
      '/health/live',
      '/nothing',
      '/.well-known/jwks.json',
      ...others,
    ]) {
      for (const origin of [...LISTED, 'https://evil.test']) {
        const { headers } = await api.request('GET', path, { headers: { origin } });
        expect(headers.get('vary')).toMatch(/\borigin\b/i);
        expect(headers.get('access-control-allow-credentials')).toBeNull();
      }
    }
  });

  it('gets a Vary header for origin and language', async () => {
    const { headers } = await api.request('GET', '/problems', { headers: { origin: LISTED[0]! } });

    expect(headers.get('vary')).toMatch(/\borigin\b/i);
    expect(headers.get('vary')).toMatch(/\baccept-language\b/i);
  });

  it('may send the headers of tracing and of common libraries, but no others', async () => {
    const { headers } = await preflight(LISTED[0]!);
    const allowed = headers.get('access-control-allow-headers')!.toLowerCase().split(', ');

    expect(allowed).toEqual(expect.arrayContaining(SENT_BY_LIBRARIES));
    expect(allowed).not.toContain('*');
    expect(allowed).not.toContain('cookie');
  });

  describe('with a request that is refused before any hook runs', () => {
    const [origin = ''] = LISTED;
    const tooMany = (fields: string[]): string =>
      rawRequest('GET', '/api/user', [...fields, `X-A: ${'a'.repeat(17_000)}`]);
    const badPath = (fields: string[]): string => rawRequest('GET', '/api/%zz', fields);
    const noHttp = (fields: string[]): string =>
      rawRequest('GET', '/api/user', [...fields, 'X A: b']);

    it.each([
      ['a URL that cannot be decoded', 400, badPath],
      ['headers that are too large', 431, tooMany],
      ['an invalid header', 400, noHttp],
    ])('can read the reason: %s', async (_, status, request) => {
      for (const listed of LISTED) {
        const answer = await rawHttp(api.url, request([`Origin: ${listed}`]));
        expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
        expect(answer.toLowerCase()).toContain(`\r\naccess-control-allow-origin: ${listed}\r\n`);
        expect(answer.toLowerCase()).toContain('\r\nvary: origin\r\n');
        expect(answer.toLowerCase()).toContain('\r\naccess-control-expose-headers: ');
      }
      for (const stranger of ['https://evil.test', 'null', '*', `${origin}.evil.test`]) {
        const answer = await rawHttp(api.url, request([`Origin: ${stranger}`]));
        expect(answer.toLowerCase()).toContain('\r\nvary: origin\r\n');
        expect(answer.toLowerCase()).not.toContain('access-control-');
      }
    });

    it('gets a response to its preflight request', async () => {
      const fields = (from: string): string[] => [
        `Origin: ${from}`,
        'Access-Control-Request-Method: GET',
      ];
      const ask = async (from: string): Promise<string> =>
        rawHttp(api.url, rawRequest('OPTIONS', '/api/%zz', fields(from)));

      const answer = await ask(origin);
      expect(answer).toMatch(/^HTTP\/1.1 204 /);
      expect(answer.toLowerCase()).toContain('\r\naccess-control-allow-headers: authorization, ');
      expect(await ask('https://evil.test')).toMatch(/^HTTP\/1.1 400 /);
    });
  });

  it('does not affect responses to other clients', async () => {
    const answer = await api.request('PUT', '/api/user');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH');
    expect(corsHeaders(answer)).toEqual([]);
    expect((await api.request('GET', '/nothing')).status).toBe(404);
  });

  it('gets no CORS headers when no origin is listed (85)', async () => {
    const closed = await startTestApp();
    const early = await rawHttp(
      closed.url,
      rawRequest('GET', '/api/%zz', [`Origin: ${LISTED[0]!}`]),
    );
    expect(early.toLowerCase()).not.toMatch(/\r\n(?:vary|access-control)/);
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await closed.request(method, '/api/user', {
        headers: { origin: LISTED[0]!, 'access-control-request-method': 'GET' },
      });
      expect(corsHeaders(answer)).toEqual([]);
      expect(answer.status).toBe(method === 'GET' ? 401 : 405);
    }
    await closed.close();
  });

  it('may send the headers that the operator lists instead of the default', async () => {
    const own = await startTestApp({ CORS_ORIGINS: LISTED[0], CORS_HEADERS: 'sentry-trace' });
    const { headers } = await own.request('OPTIONS', '/api/user', {
      headers: { origin: LISTED[0]!, 'access-control-request-method': 'GET' },
    });
    await own.close();

    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, Accept-Language, sentry-trace',
    );
  });
});
