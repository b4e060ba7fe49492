import {
  expectStatus,
  JSON_TYPE,
  startBadInput,
  type BadInput,
  type Reader,
} from '../support/bad-input.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

/** Requirement 74, for every request body in the OpenAPI document. */
describe('a body with another content type than JSON in UTF-8', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  const expectAllRefused = async (
    status: number,
    fields: string[],
    bodyOf: (operation: Reader) => string = (operation) =>
      JSON.stringify(input.goodBody(operation)),
  ): Promise<void> => {
    await input.expectNothingChanged(async () => {
      for (const operation of input.readers) {
        const answer = await input.sendRaw(operation, fields, bodyOf(operation));
        expectStatus({ path: operation.path }, statusOf(answer), status);
        expect(answer).toContain('application/problem+json');
      }
    });
  };

  it.each([
    'application/json\ta',
    'application/json x',
    'application/json,text/plain',
    '',
    'application/jsonp',
    'application/json-patch+json',
    'application/problem+json',
    'json',
    'text/json',
    'text/plain',
    'text/plain;application/json',
    '*/*',
    'application/*',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8 x',
    'application/json; charset="utf-8',
    'a/b; c=d;;;',
    'application /json',
    'application/ json',
    'application//json',
    'application/json; a',
    'application/json; charset =utf-8',
    'application/json; charset= utf-8',
    'application/json; =b',
    'application/json; a=b c',
    'application/json; a="b',
    'application/json; a="b"c',
    'application/json;\u00a0',
    'application/json; a=b; charset=utf-16',
    'application/json; charset="latin1"',
    'application/json;;x',
    'application/json\u00a0',
    'application/json\u00ad',
    '"application/json"',
  ])('is refused by every route: %j (74)', async (type) => {
    await expectAllRefused(415, [`Content-Type: ${type}`]);
  });

  it('is refused without a type (74)', async () => {
    await expectAllRefused(415, []);
  });

  it.each(['gzip', 'br', 'deflate', 'identity', 'x', ''])(
    'is refused with the content encoding %j, because nothing decodes it (74)',
    async (encoding) => {
      await expectAllRefused(415, [JSON_TYPE, `Content-Encoding: ${encoding}`]);
    },
  );

  it('is read with every valid spelling of the content type, and validated as usual (74)', async () => {
    const wrong = (): string => '{"username":{"$ne":""},"isAdmin":true}';
    for (const type of ['  application/json', '\tapplication/json ', 'APPLICATION/JSON']) {
      await expectAllRefused(400, [`Content-Type:${type}`], wrong);
    }
    await expectAllRefused(400, [JSON_TYPE, 'Content-Type: text/plain'], wrong);
    await expectAllRefused(400, [JSON_TYPE, 'X-Content-Type: text/plain'], wrong);
  });

  it.each([
    ';',
    '; ',
    ' ;',
    ';;',
    ' ; ; ',
    '\t;\t',
    '; charset=utf-8',
    ';charset=UTF-8',
    ' ; charset="utf-8" ; ',
    ';charset="UTF-8";',
    ';; CHARSET=utf-8',
    '; a=b',
    '; profile="https://example.com/a;b\\"c"; charset=utf-8',
  ])('is read with every parameter syntax of RFC 9110: application/json%s', async (parameters) => {
    const { username, password } = input.user;
    const body = JSON.stringify({ username, password });
    const sent = rawRequest('POST', '/api/login', [`${JSON_TYPE}${parameters}`], body);
    expect(statusOf(await rawHttp(input.api.url, sent))).toBe(200);
  });

  it('is refused when it is not valid UTF-8 or not JSON (74)', async () => {
    const texts = [
      '{"username":"a",}',
      "{'username':'a'}",
      '{"username":"a"}x',
      '{}{}',
      '\ufeff\0',
    ];
    const others = ['NaN', '{"a":Infinity}', '{"a":01}', '{"a":0x1}', '/**/{}', '{"a":"\n"}', '{'];
    for (const text of [...texts, ...others]) {
      await expectAllRefused(400, [JSON_TYPE], () => text);
    }
  });

  it('is also refused by routes that read no body (74)', async () => {
    const readsNone = input.operations.filter(
      ({ body, method }) => body === undefined && method !== 'GET',
    );
    expect(readsNone).not.toEqual([]);
    await input.expectNothingChanged(async () => {
      for (const operation of readsNone) {
        const answer = await input.sendRaw(operation, ['Content-Type: text/plain'], 'text');
        expectStatus({ path: operation.path }, statusOf(answer), 415);
      }
    });
  });

  it('does not affect the health checks (74)', async () => {
    const sent = rawRequest('GET', '/health/live', ['Content-Type: x'], 'text');
    expect(statusOf(await rawHttp(input.api.url, sent))).toBe(200);
  });
});
