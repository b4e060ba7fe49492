import { expectStatus, startBadInput, type BadInput } from '../support/bad-input.js';
import type { Operation } from '../support/openapi.js';
import { answersIn, rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

/** Percent-encodes each letter: a router decodes it, but a path-based guard may not. */
const encoded = (text: string): string =>
  Array.from(text, (char) => (char === '/' ? char : `%${char.charCodeAt(0).toString(16)}`)).join(
    '',
  );

/** Alternative spellings of a path that are equivalent, or could be treated as equivalent. */
function spellingsOf(path: string, origin: string): string[] {
  const [, first = '', rest = ''] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  return [
    // slashes
    `/${path}`,
    `//${path}`,
    `/${first}/${rest}`,
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `/${first}%2f${rest.slice(1)}`,
    `/${first}%2F${rest.slice(1)}`,
    `${path}%2f`,
    `/%2f${path}`,
    `/${first}%5c${rest.slice(1)}`,
    `/${first}\\${rest.slice(1)}`,
    `\\${path.slice(1)}`,
    // parameters, extensions, suffixes
    `${path};a`,
    `${path};a=b/`,
    `/${first};a=b${rest}`,
    `${path}.json`,
    `${path}.`,
    `${path}*`,
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}%0a`,
    `${path}%0d%0a`,
    `${path}%23`,
    `${path}#a`,
    `${path}?`,
    `${path}?a=b`,
    `${path}%3fa=b`,
    `${path}&a=b`,
    `${path}??`,
    // dot segments
    `/.${path}`,
    `/./${path}`,
    `/a/..${path}`,
    `/%2e${path}`,
    `/a/%2e%2e${path}`,
    `/health/live/../..${path}`,
    `/docs/..${path}`,
    `/docs/%2e%2e${path}`,
    `/docs/..%2f${first}`,
    `/problems/..${path}`,
    `/problems/..%2f${path.slice(1)}`,
    `/docs${path}`,
    `/${first}${path}`,
    // letters
    path.toUpperCase(),
    `/${first.toUpperCase()}${rest}`,
    encoded(path),
    encoded(encoded(path)),
    path.replace('u', '%75'),
    path.replace('u', '%2575'),
    path.replace('a', '%c1%a1'),
    path.replace('u', '%EF%BD%95'),
    path.replace('s', '%c5%bf'),
    `${path}%zz`,
    `${path}%`,
    // other request targets
    `${origin}${path}`,
    `http://other.test${path}`,
    `//other.test${path}`,
    `${path}@a`,
    path.slice(1),
    `http:${path}`,
    `a:1`,
    '*',
  ];
}

/** Requirement 77, for every route of the OpenAPI document that is not public. */
describe('the guard', () => {
  let input: BadInput;
  let guarded: Operation[];
  beforeAll(async () => {
    input = await startBadInput();
    guarded = input.operations.filter(({ isPublic }) => !isPublic);
  });
  afterAll(async () => input.stop());

  const send = async (method: string, target: string, fields: string[] = []): Promise<string> =>
    rawHttp(input.api.url, rawRequest(method, target, fields, method === 'GET' ? undefined : '{}'));
  const asUser = (): string => `Authorization: Bearer ${input.user.tokens.access_token}`;
  const JSON_TYPE = 'Content-Type: application/json';

  const expectRefusal = (
    sent: { method: string; target: string },
    answer: string,
    statuses: number[],
  ): void => {
    expect({ ...sent, answer: statuses.includes(statusOf(answer)) || answer }).toEqual({
      ...sent,
      answer: true,
    });
    expect(answersIn(answer)).toBe(1);
    expect(answer).not.toContain(input.target.username);
  };

  it('refuses a path in every equivalent spelling, with the same response (77)', async () => {
    for (const operation of guarded) {
      const [path, { method }] = [input.pathOf(operation), operation];
      const same = [path, `${path}?a=b`, `${path}?`, path.replace('u', '%75'), encoded(path)];
      for (const target of [...same, `${path}#a`]) {
        expectRefusal({ method, target }, await send(method, target, [JSON_TYPE]), [401]);
      }
    }
  });

  it('accepts a token in each of these spellings, and forbids caching of the response (77, 84)', async () => {
    for (const target of ['/api/user', '/%61pi/user', '/api/%75ser', `${input.api.url}/api/user`]) {
      const answer = await send('GET', target, [asUser()]);
      expectStatus({ target }, statusOf(answer), 200);
      expect(answer).toMatch(/^Cache-Control: no-store\r$/im);
    }
  });

  it('cannot be bypassed by any spelling of a path (77)', async () => {
    await input.expectNothingChanged(async () => {
      for (const operation of guarded) {
        const { method } = operation;
        for (const target of spellingsOf(input.pathOf(operation), input.api.url)) {
          const answer = await send(method, target, [JSON_TYPE]);
          // The static files of Swagger UI answer 403 to a path outside their folder.
          const ofFiles = target.startsWith('/docs/') ? [403] : [];
          expectRefusal({ method, target }, answer, [400, 401, 404, 405, ...ofFiles]);
        }
      }
    });
  });

  it('of permissions cannot be bypassed by any spelling either (77)', async () => {
    const administration = guarded.filter(({ isRestricted }) => isRestricted);
    const others = administration.filter(({ path }) => path.includes('{id}'));
    expect(others).not.toEqual([]);
    await input.expectNothingChanged(async () => {
      for (const operation of others) {
        const { method } = operation;
        const path = input.pathOf(operation);
        expectRefusal(
          { method, target: path },
          await send(method, path, [asUser(), JSON_TYPE]),
          [403],
        );
        for (const target of spellingsOf(path, input.api.url)) {
          const answer = await send(method, target, [asUser(), JSON_TYPE]);
          expectRefusal({ method, target }, answer, [400, 403, 404, 405]);
        }
      }
    });
  });

  it('guards HEAD like GET; only documented methods exist, or every method (77)', async () => {
    // A fixed path can also match another route with a parameter: /factors/totp and /factors/{id}.
    const isDeclared = (method: string, target: string): boolean =>
      guarded.some(
        (one) =>
          one.method === method &&
          new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(target),
      );
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'SEARCH'];
    await input.expectNothingChanged(async () => {
      for (const operation of guarded) {
        const target = input.pathOf(operation);
        for (const method of [...methods, 'PROPFIND', 'LINK', 'PURGE', 'LOCK']) {
          const isThere =
            operation.hasEveryMethod || isDeclared(method.replace('HEAD', 'GET'), target);
          const isPublic = input.operations.some(
            (other) => other.isPublic && other.method === method && other.path === operation.path,
          );
          const answer = await send(method, target, [JSON_TYPE]);
          const statuses = isThere ? [401] : isPublic ? [400] : [404, 405];
          expectRefusal({ method, target }, answer, statuses);
        }
      }
      const head = await send('HEAD', '/api/user');
      expect(head).toMatch(/^WWW-Authenticate: Bearer realm="keyslot"\r$/im);
      expect(head).toMatch(/\r\n\r\n$/);
    });
    const own = await send('HEAD', '/api/user', [asUser()]);
    expect(statusOf(own)).toBe(200);
    expect(own).toMatch(/\r\n\r\n$/);
  });

  const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'];
  const REWRITES = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Forwarded-Path'];
  const TRUSTED = [
    'X-Forwarded-For',
    'X-Real-IP',
    'X-Forwarded-User',
    'X-Remote-User',
    'X-User-Id',
  ];

  it('ignores headers that name another method or path (77)', async () => {
    await input.expectNothingChanged(async () => {
      for (const operation of guarded) {
        const target = input.pathOf(operation);
        const fields = OVERRIDES.map((name) => `${name}: ${operation.method}`);
        // Public registration reads the body and refuses it.
        expectRefusal(
          { method: 'POST', target: '/api/users' },
          await send('POST', `/api/users?_method=${operation.method}`, [JSON_TYPE, ...fields]),
          [400],
        );
        const rewritten = REWRITES.map((name) => `${name}: ${target}`);
        const health = await send('GET', '/health/live', [...fields, ...rewritten, asUser()]);
        expect(health).toMatch(/\r\n\r\n\{"status":"ok","checks":\{\}\}$/);

        const trusted = TRUSTED.map((name) => `${name}: 127.0.0.1`);
        const public_ = REWRITES.map((name) => `${name}: /health/live`);
        const others = OVERRIDES.map((name) => `${name}: OPTIONS`);
        const { method } = operation;
        const sent = [JSON_TYPE, ...trusted, ...public_, ...others];
        expectRefusal({ method, target }, await send(method, target, sent), [401]);
      }
      const own = await send('GET', '/api/user?_method=DELETE', [
        asUser(),
        ...OVERRIDES.map((name) => `${name}: DELETE`),
      ]);
      expect(own).toContain(`"username":"${input.user.username}"`);
    });
  });

  it('cannot be bypassed by a path that leaves the folder of public files (77)', async () => {
    const up = ['..', '%2e%2e', '..%2f..', '%2e%2e%2f%2e%2e', '..%5c..', '....//', '%252e%252e'];
    for (const detour of up) {
      for (const file of ['package.json', 'README.md', 'dist/main.js', 'etc/passwd', '.env']) {
        for (const target of [`/docs/${detour}/${detour}/${file}`, `/docs/${detour}/${file}`]) {
          const answer = await send('GET', target);
          expectRefusal({ method: 'GET', target }, answer, [400, 403, 404, 405]);
        }
      }
    }
  });
});
