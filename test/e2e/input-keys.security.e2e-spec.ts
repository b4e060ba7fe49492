import {
  expectStatus,
  JSON_TYPE,
  startBadInput,
  type BadInput,
  type Reader,
} from '../support/bad-input.js';
import { GOOD_PASSWORD } from '../support/http-client.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

/** Names of body members and query parameters: requirements 72 and 73. */
describe('member names', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  /** The valid body of an operation as text, with one additional member. */
  const bodyWith = (operation: Reader, text: string): string =>
    JSON.stringify(input.goodBody(operation))
      .replace(/\}$/, `,${text}}`)
      // All members of this operation may be missing.
      .replace(/^\{,/, '{');

  describe('that affect a prototype', () => {
    const prototypeBefore = Object.getOwnPropertyNames(Object.prototype);
    afterEach(async () => {
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototypeBefore);
      expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
      const later = await input.api.newUser();
      const { body } = await input.api.ownUser(later.tokens.access_token);
      expect(body).toEqual({
        id: later.id,
        username: later.username,
        email: null,
        emailVerified: false,
        displayName: null,
        roles: [],
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      });
    });

    it.each([
      '"__proto__":{"isAdmin":true,"roles":["admin"]}',
      '"__proto__":null',
      '"\\u005f_proto__":{"isAdmin":true}',
      '"constructor":{"prototype":{"isAdmin":true}}',
      '"c\\u006fnstructor":{"prototype":{"isAdmin":true}}',
      '"displayName":{"__proto__":{"isAdmin":true}}',
      '"roles":[{"__proto__":{"isAdmin":true}}]',
    ])('are refused in every body: %s (72)', async (text) => {
      await input.expectNothingChanged(async () => {
        for (const operation of input.readers) {
          const body = bodyWith(operation, text);
          const answer = await input.send(operation, body);
          expectStatus({ path: operation.path, body }, answer.status, 400);
        }
      });
    });

    it.each(Object.getOwnPropertyNames(Object.prototype).concat('prototype'))(
      'of prototypes in harmless values are refused in every body like any unknown member: %s (70, 72)',
      async (name) => {
        await input.expectNothingChanged(async () => {
          for (const operation of input.readers) {
            for (const value of ['1', 'null', '"text"', '{"isAdmin":true}']) {
              const body = bodyWith(operation, `"${name}":${value}`);
              const answer = await input.send(operation, body);
              expectStatus({ path: operation.path, body }, answer.status, 400);
              expect(answer.body).toMatchObject(
                name === '__proto__'
                  ? { code: 'malformed-request' }
                  : { errors: [{ pointer: `/${name}`, code: 'unknown-member' }] },
              );
            }
          }
        });
      },
    );

    it('are ignored in a query (72)', async () => {
      const query = [
        '__proto__[isAdmin]=1',
        '__proto__.isAdmin=1',
        '__proto__=1',
        'prototype[isAdmin]=1',
        'constructor[prototype][isAdmin]=1',
        'constructor.prototype.isAdmin=1',
        'toString=1',
        '%5F_proto__[isAdmin]=1',
      ].join('&');
      for (const path of ['/api/user', '/health/live', '/.well-known/jwks.json']) {
        const options = { token: input.user.tokens.access_token };
        const plain = await input.api.request('GET', path, options);
        const answer = await input.api.request('GET', `${path}?${query}`, options);
        expect(answer).toMatchObject({ status: 200, body: plain.body });
      }
    });

    it('are ignored as a header, in an id, or as a problem code (72)', async () => {
      const { user, target, api, admin } = input;
      const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
      const token = `Authorization: Bearer ${user.tokens.access_token}`;
      const fields = [token, ...names.flatMap((name) => [`${name}: isAdmin`, `X-A: ${name}`])];
      const own = await rawHttp(api.url, rawRequest('GET', '/api/user', fields));
      expect(statusOf(own)).toBe(200);
      const others = rawRequest('GET', `/api/users/${target.id}`, fields);
      expect(statusOf(await rawHttp(api.url, others))).toBe(403);
      for (const name of names) {
        const options = { token: admin.access_token, headers: { 'accept-language': name } };
        for (const path of ['/api/users/', '/problems/', '/', '/docs/']) {
          expect((await api.request('GET', `${path}${name}`, options)).status).toBe(404);
        }
      }
    });
  });

  describe('that occur twice', () => {
    const patch = async (body: string) =>
      input.api.request('PATCH', '/api/user', { token: input.user.tokens.access_token, body });

    it('in a body: the last member is validated and used (73)', async () => {
      const twice = '{"displayName":"First","displayName":"Last"}';
      expect((await patch(twice)).body).toMatchObject({ displayName: 'Last' });
      const escaped = '{"displayName":"First","displ\\u0061yName":"Escaped"}';
      expect((await patch(escaped)).body).toMatchObject({ displayName: 'Escaped' });
      expect((await patch('{"displayName":1,"displayName":"Good"}')).status).toBe(200);

      await input.expectNothingChanged(async () => {
        expect((await patch('{"displayName":"Good","displayName":1}')).status).toBe(400);
        expect((await patch('{"displayName":"Good","displayName":""}')).status).toBe(400);
      });
    });

    it("in an administrator's body: the last member is validated and used (73)", async () => {
      const { target, api, admin } = input;
      const body = '{"disabled":true,"roles":["admin"],"disabled":false,"roles":[]}';
      const path = `/api/users/${target.id}`;
      const answer = await api.request('PATCH', path, { token: admin.access_token, body });
      expect(answer.body).toMatchObject({ disabled: false, roles: [] });
      expect((await api.ownUser(target.tokens.access_token)).status).toBe(200);
    });

    it('in a query: they are ignored like every unknown parameter, or refused by a route with parameters (73)', async () => {
      const { user, target, admin, api } = input;
      const options = { token: admin.access_token };
      const query = `id=${user.id}&id=${user.id}&id[]=1&id[$ne]=1&%69d=${user.id}&;id=1`;
      for (const operation of input.operations.filter(({ method }) => method === 'GET')) {
        const path = input.pathOf(operation);
        const answer = await api.request<unknown>('GET', `${path}?${query}`, options);
        const hasParameters = ['/api/users', '/api/audit'].includes(path);
        expectStatus(
          { path },
          answer.status,
          hasParameters ? 400 : Math.min(...operation.statuses),
        );
      }
      const read = await api.request('GET', `/api/users/${target.id}?${query}`, options);
      expect(read.body).toMatchObject({ id: target.id });
    });

    it('in the headers: the first content type is used, and several tokens are refused (73)', async () => {
      const { api, user } = input;
      const good = JSON.stringify({ username: user.username, password: GOOD_PASSWORD });
      const login = async (...fields: string[]) =>
        statusOf(await rawHttp(api.url, rawRequest('POST', '/api/login', fields, good)));
      expect(await login(JSON_TYPE, 'Content-Type: text/plain')).toBe(200);
      expect(await login('Content-Type: text/plain', JSON_TYPE)).toBe(415);
      const token = `Authorization: Bearer ${user.tokens.access_token}`;
      const twice = rawRequest('GET', '/api/user', [token, token]);
      expect(statusOf(await rawHttp(api.url, twice))).toBe(401);
    });
  });
});
