import { randomUUID } from 'node:crypto';

import {
  expectStatus,
  JSON_TYPE,
  startBadInput,
  type BadInput,
  type Reader,
} from '../support/bad-input.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

/** One byte for each character. */
const bytes = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('latin1');

/** Text is decoded strictly, in every part of a request: input that needs replacement characters is refused. */
describe('text from a client', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  const send = async (target: string, fields: string[] = [], method = 'GET'): Promise<string> =>
    rawHttp(
      input.api.url,
      rawRequest(method, target, [`Authorization: Bearer ${input.admin.access_token}`, ...fields]),
    );

  describe('in a body', () => {
    /** The valid body with one member replaced, as bytes. */
    const bodyWith = (operation: Reader, name: string, text: string): string =>
      JSON.stringify({ ...input.goodBody(operation), [name]: '@@' }).replace('@@', text);

    it.each([
      ['Latin-1', 'pass\xe9 violet engines'],
      ['a byte that is never valid in UTF-8', 'pass\xff violet engines'],
      ['an overlong form', '\xc0\xaf violet engines'],
      ['half of a surrogate pair in UTF-8', '\xed\xa0\xbd violet engines'],
      ['a truncated character', 'violet engines \xf0\x9f\x98'],
    ])('is refused when its bytes are not valid UTF-8, in every member: %s', async (_, text) => {
      await input.expectNothingChanged(async () => {
        for (const operation of input.readers) {
          for (const name of Object.keys(operation.body.properties)) {
            const body = bodyWith(operation, name, text);
            const answer = await input.sendRaw(operation, [JSON_TYPE], body);
            expectStatus({ path: operation.path, name }, statusOf(answer), 400);
            expect(answer).toContain('"code":"malformed-request"');
          }
        }
      });
    });

    it.each(['\\ud83d', '\\udc4d', '\\udc4d\\ud83d', 'a\\uD83Db'])(
      'is refused when it contains half of a surrogate pair; the pointer names its member: %s',
      async (half) => {
        await input.expectNothingChanged(async () => {
          for (const operation of input.readers) {
            for (const name of Object.keys(operation.body.properties)) {
              const body = bodyWith(operation, name, `violet engines ${half} hum`);
              const answer = await input.send(operation, body);
              expectStatus({ path: operation.path, name }, answer.status, 400);
              expect(answer.body['errors']).toEqual([
                { pointer: `/${name}`, code: 'lone-surrogate', detail: expect.any(String) },
              ]);
            }
          }
        });
      },
    );

    it('is refused at any depth, in lists, and in member names', async () => {
      const patch = async (body: string): Promise<unknown> => {
        const token = input.user.tokens.access_token;
        const answer = await input.api.request('PATCH', '/api/user', { token, body });
        expect(answer.status).toBe(400);
        return (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
      };
      expect(await patch('{"a":{"b/c":["x",{"d":"\\ud83d"}]}}')).toEqual(['/a/b~1c/1/d']);
      expect(await patch('["\\udc00"]')).toEqual(['/0']);
      expect(await patch('"\\udc00"')).toEqual(['']);
      expect(await patch('{"a\\ud83d":1,"b":"\\ud83d"}')).toEqual(['/a\ufffd', '/b']);
    });

    it('is stored unchanged when sent as UTF-8, as escaped surrogate pairs, or after a byte order mark', async () => {
      const { tokens } = input.user;
      for (const [sent, name] of [
        ['"Jos\u00e9 \u6d4f\ud83d\ude00"', 'Jos\u00e9 \u6d4f\ud83d\ude00'],
        ['"Jos\\u00e9 \\ud83d\\ude00"', 'Jos\u00e9 \ud83d\ude00'],
      ] as const) {
        for (const mark of ['', '\ufeff']) {
          const body = `${mark}{"displayName":${sent}}`;
          const answer = await input.api.request('PATCH', '/api/user', {
            token: tokens.access_token,
            body,
          });
          expect(answer).toMatchObject({ status: 200, body: { displayName: name } });
        }
      }
    });
  });

  describe('in a URL', () => {
    it.each([
      '%ff',
      '%e9',
      '%ed%a0%bd',
      '%f0%9f%98',
      '%c0%af',
      '%zz',
      '%',
      '%4',
      '\xe9',
      '\xc3\xa9',
    ])('is refused in a path or query when it is not percent-encoded UTF-8: %s', async (text) => {
      for (const target of [
        `/api/user?q=${text}`,
        `/api/user?${text}=1`,
        `/api/users/${text}`,
        `/${text}`,
        `/problems/${text}`,
        `/health/live?${text}`,
      ]) {
        const answer = await send(target);
        expectStatus({ target }, statusOf(answer), 400);
        expect(answer).toContain('"code":"malformed-request"');
      }
    });

    it('is read when it is percent-encoded UTF-8', async () => {
      for (const query of ['q=Jos%C3%A9', 'q=%F0%9F%98%80', 'a=%20+&b=100%25', '%E6%B5%8F=1']) {
        expect(statusOf(await send(`/api/user?${query}`))).toBe(200);
      }
      expect(statusOf(await send('/api/users/Jos%C3%A9'))).toBe(404);
    });
  });

  it('in a User-Agent is decoded correctly from UTF-8 and Latin-1', async () => {
    const { username, password, tokens } = await input.api.newUser();
    const agentOf = async (userAgent: string): Promise<string | undefined> => {
      const body = JSON.stringify({ username, password });
      const fields = [JSON_TYPE, `User-Agent: ${userAgent}`];
      const answer = await rawHttp(input.api.url, rawRequest('POST', '/api/login', fields, body));
      const id = /"session_id":"([^"]+)"/.exec(answer)?.[1];
      const { body: list } = await input.api.request<{
        items: { id: string; userAgent: string }[];
      }>('GET', '/api/user/sessions', { token: tokens.access_token });
      return list.items.find((session) => session.id === id)?.userAgent;
    };
    expect(await agentOf(bytes('Jos\u00e9 \u{1f600}'))).toBe('Jos\u00e9 \u{1f600}');
    expect(await agentOf(bytes('Jos\u00e9', 'latin1'))).toBe('Jos\u00e9');
    expect(await agentOf(bytes('a\u0085\u202eb'))).toBe('ab');
    expect(await agentOf(bytes(`${'x'.repeat(255)}\u{1f600}`))).toBe('x'.repeat(255));
  });
});

describe('a request without a body', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  const EMPTY: [string, string[], string | undefined][] = [
    ['length 0', ['Content-Length: 0'], undefined],
    ['no length', [], undefined],
    ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
  ];
  const TYPES = ['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=x'];
  /** Values that every media type parser rejects. */
  const BROKEN_TYPES = [
    '',
    'x',
    'garbage',
    'a/b/c',
    ';',
    '/',
    'application/',
    'a b/c',
    'garbage; charset=x',
  ];

  const sendEmpty = async (
    [, fields, body]: (typeof EMPTY)[number],
    [method, path, token]: [string, string, string],
    type: string,
  ): Promise<number> => {
    const head = [`Authorization: Bearer ${token}`, `Content-Type: ${type}`, ...fields];
    return statusOf(await rawHttp(input.api.url, `${rawRequest(method, path, head)}${body ?? ''}`));
  };

  it.each(EMPTY)('may have any content type where no body is needed: %s', async (...empty) => {
    for (const type of [...TYPES, ...BROKEN_TYPES]) {
      const user = await input.api.newUser();
      const other = (await input.api.login(user.username)).body;
      const { access_token: token } = user.tokens;
      const expectDone = async (method: string, path: string): Promise<void> =>
        expectStatus({ type, path }, await sendEmpty(empty, [method, path, token], type), 204);
      await expectDone('DELETE', `/api/user/sessions/${other.session_id}`);
      await expectDone('DELETE', '/api/user/sessions');
      await expectDone('POST', '/api/logout');
      expect((await input.api.ownUser(token)).status).toBe(401);
    }
  });

  it.each(EMPTY)('is reported as a missing body where one is needed: %s', async (...empty) => {
    await input.expectNothingChanged(async () => {
      for (const operation of input.readers) {
        for (const type of [...TYPES, ...BROKEN_TYPES, 'application/json']) {
          const target: [string, string, string] = [
            operation.method,
            input.pathOf(operation),
            input.admin.access_token,
          ];
          expectStatus({ path: operation.path, type }, await sendEmpty(empty, target, type), 400);
        }
      }
    });
  });

  it('is distinguished from one with a body of another type, in every form', async () => {
    const { access_token: token } = input.user.tokens;
    for (const type of ['text/plain', ...BROKEN_TYPES]) {
      const head = [`Authorization: Bearer ${token}`, `Content-Type: ${type}`];
      const chunked = rawRequest('POST', '/api/logout', [...head, 'Transfer-Encoding: chunked']);
      const inChunks = await rawHttp(input.api.url, `${chunked}1\r\na\r\n0\r\n\r\n`);
      expectStatus({ type }, statusOf(inChunks), 415);
      const sized = rawRequest('POST', '/api/logout', head, 'a');
      expectStatus({ type }, statusOf(await rawHttp(input.api.url, sized)), 415);
      const nowhere = rawRequest('POST', `/${randomUUID()}`, head, 'a');
      expectStatus({ type }, statusOf(await rawHttp(input.api.url, nowhere)), 404);
    }
    expect((await input.api.ownUser(token)).status).toBe(200);
  });
});
