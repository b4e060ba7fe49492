import { PROBLEM_CODES } from '../../src/common/problem/index.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('problem answers', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  const post = (body: string | undefined, headers: Record<string, string>) =>
    api.request('POST', '/api/login', { body, headers });

  it('are RFC 9457 documents with the path and the id of the request', async () => {
    const answer = await api.request('GET', '/api/user?token=secret');

    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toEqual({
      type: '/problems/missing-token',
      title: 'A token is required',
      status: 401,
      detail: expect.any(String),
      instance: '/api/user',
      code: 'missing-token',
      requestId: answer.headers.get('x-request-id'),
    });
  });

  it.each([
    ['zh', 'zh', '需要令牌'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh', '需要令牌'],
    ['de, zh-Hans;q=0.5', 'zh', '需要令牌'],
    ['en-GB,en;q=0.9,zh;q=0.1', 'en', 'A token is required'],
    ['de', 'en', 'A token is required'],
    ['*', 'en', 'A token is required'],
    [';;q=x,\u00e9', 'en', 'A token is required'],
  ])('use the language that "%s" requests', async (acceptLanguage, language, title) => {
    const answer = await api.request('GET', '/api/user', {
      headers: { 'accept-language': acceptLanguage },
    });

    expect(answer.body['title']).toBe(title);
    expect(answer.headers.get('content-language')).toBe(language);
  });

  it('translate the texts of failed rules, too', async () => {
    const answer = await post('{"username":1}', { 'accept-language': 'zh' });

    expect(answer.body['errors']).toEqual([
      { pointer: '/username', code: 'not-a-string', detail: '必须是字符串。' },
      { pointer: '/password', code: 'missing', detail: '为必填项。' },
    ]);
  });

  it.each(PROBLEM_CODES)('have a page for the code %s, in both languages', async (code) => {
    const [english, chinese] = await Promise.all(
      ['en', 'zh'].map((language) =>
        api.request<string>('GET', `/problems/${code}`, {
          headers: { 'accept-language': language },
        }),
      ),
    );

    expect(english!.status).toBe(200);
    expect(english!.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(english!.body).toContain('What to do');
    expect(english!.body).toContain(code);
    expect(chinese!.body).toContain('如何处理');
    // A missing text would show its key.
    expect(english!.body + chinese!.body).not.toContain(`problems.${code}`);
  });

  it('list all problems on one page', async () => {
    const { body } = await api.request<string>('GET', '/problems');

    PROBLEM_CODES.forEach((code) => expect(body).toContain(`"problems/${code}"`));
  });

  it.each([
    ['an unknown URL', 'GET', '/api/nothing', 404, 'not-found'],
    ['an unknown problem', 'GET', '/problems/nothing', 404, 'not-found'],
    ['a method that is not there', 'PUT', '/api/login', 405, 'method-not-allowed'],
    ['a malformed URL', 'GET', '/api/%zz', 400, 'malformed-request'],
  ])('are returned for %s', async (_, method, path, status, code) => {
    const answer = await api.request(method, path);

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code, status });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['POST', '/api/user', 'DELETE, GET, HEAD, PATCH'],
    ['TRACE', '/api/user', 'DELETE, GET, HEAD, PATCH'],
    ['OPTIONS', '/api/login?a=b', 'POST'],
    ['DELETE', '/problems/not-found', 'GET, HEAD'],
    ['PUT', '/api/user/sessions/an-id', 'DELETE'],
  ])('list the allowed methods for %s %s (87)', async (method, path, allowed) => {
    const answer = await rawHttp(
      api.url,
      rawRequest(method, path, ['Content-Type: text/plain'], method === 'TRACE' ? undefined : 'x'),
    );

    expect(statusOf(answer)).toBe(405);
    expect(answer).toMatch(new RegExp(`^allow: ${allowed}\\r$`, 'im'));
    expect(answer).toContain('"code":"method-not-allowed"');
  });

  it('are returned for CONNECT, and the connection ends', async () => {
    const answer = await rawHttp(api.url, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');

    expect(statusOf(answer)).toBe(405);
    expect(answer).toContain('"code":"method-not-allowed"');
    expect((await api.request('GET', '/health/live')).status).toBe(200);
  });

  it('are returned for an unsupported expectation; 100-continue is supported', async () => {
    const login = (expectation: string): string =>
      rawRequest(
        'POST',
        '/api/login',
        [`Expect: ${expectation}`, 'Content-Type: application/json'],
        '{"username":"nobody","password":"x"}',
      );

    const refused = await rawHttp(api.url, login('200-maybe'));
    expect(statusOf(refused)).toBe(417);
    expect(refused).toContain('"code":"expectation-failed"');

    const met = await rawHttp(api.url, login('100-continue'));
    expect(statusOf(met)).toBe(100);
    expect(met).toContain('HTTP/1.1 401 ');
  });

  it.each([
    ['broken JSON', '{"username":', { 'content-type': 'application/json' }, 400],
    ['__proto__ (72)', '{"__proto__":{"a":1}}', { 'content-type': 'application/json' }, 400],
    [
      '20,000 levels (75)',
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      { 'content-type': 'application/json' },
      400,
    ],
    [
      '15,000 levels in a member (75)',
      `{"username":${'['.repeat(15_000)}${']'.repeat(15_000)},"password":"x"}`,
      { 'content-type': 'application/json' },
      400,
    ],
    ['another charset (74)', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415],
    ['a word after the type (74)', '{}', { 'content-type': 'application/json x' }, 415],
    [
      'compressed JSON (74)',
      '{}',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      415,
    ],
    ['a tab after the type (74)', '{}', { 'content-type': 'application/json\ta' }, 415],
    ['70 kB (75)', `"${'a'.repeat(70_000)}"`, { 'content-type': 'application/json' }, 413],
    ['text/plain (74)', '{}', { 'content-type': 'text/plain' }, 415],
    ['a form (74)', 'username=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a look-alike type (74)', '{}', { 'content-type': 'application/jsonx' }, 415],
  ])('are returned for a body of %s', async (_, body, headers, status) => {
    const answer = await post(body, headers);

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, requestId: expect.any(String) });
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
  ])('are not returned for JSON sent as %s', async (type) => {
    const answer = await post('{"username":"nobody","password":"x"}', { 'content-type': type });

    expect(answer.status).toBe(401);
  });

  it('are returned even for invalid HTTP', async () => {
    const huge = await rawHttp(
      api.url,
      `GET /api/user HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(17_000)}\r\n\r\n`,
    );
    expect(statusOf(huge)).toBe(431);
    expect(huge).toContain('"code":"headers-too-large"');

    const rubbish = await rawHttp(api.url, 'GARBAGE\r\n\r\n');
    expect(statusOf(rubbish)).toBe(400);
    expect(rubbish).toContain('"code":"malformed-request"');
    const [, requestId] = /X-Request-Id: (\S+)/.exec(rubbish)!;
    expect(rubbish).toContain(`"requestId":"${requestId}"`);
  });

  it('never show internal errors (92)', async () => {
    const answers = await Promise.all([
      post('{"username":', { 'content-type': 'application/json' }),
      api.request('GET', '/api/%zz'),
      api.request('GET', '/nothing'),
      api.ownUser('rubbish'),
    ]);

    for (const answer of answers) {
      expect(JSON.stringify(answer.body)).not.toMatch(
        /stack|node_modules|fastify|FST_|redis|\.js/i,
      );
      expect(answer.headers.get('server')).toBeNull();
      expect(answer.headers.get('x-powered-by')).toBeNull();
    }
  });

  it('have security headers, like every response (83)', async () => {
    for (const path of ['/api/user', '/nothing', '/health/live']) {
      const { headers } = await api.request('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });
});
