import { expectStatus, JSON_TYPE, startBadInput, type BadInput } from '../support/bad-input.js';
import { GOOD_PASSWORD } from '../support/http-client.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

const BODY_LIMIT = 64 * 1024;
const HEADERS_LIMIT = 16 * 1024;

/** Requirement 75, for the amount of input. The speed of input is tested in slow-clients. */
describe('input that is too large', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  const padded = (length: number): string => {
    const body = { username: input.user.username, password: GOOD_PASSWORD };
    return JSON.stringify(body).padEnd(length, ' ');
  };

  it('as a body is refused by every route that reads one, before all of it has arrived (75)', async () => {
    const writers = input.operations.filter(({ method }) => method !== 'GET');
    await input.expectNothingChanged(async () => {
      for (const operation of writers) {
        const announced = [JSON_TYPE, `Content-Length: ${BODY_LIMIT + 1}`];
        const early = await input.sendRaw(operation, announced);
        expectStatus({ path: operation.path }, statusOf(early), 413);
        expect(early).toMatch(/^Connection: close\r$/im);
        expect(early).toContain('"code":"body-too-large"');

        const chunk = `1000\r\n${'a'.repeat(4096)}\r\n`;
        const chunked = `${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(16)}2`;
        const counted = await input.sendRaw(operation, [`${chunked}\r\naa\r\n`]);
        expectStatus({ path: operation.path }, statusOf(counted), 413);
      }
    });
  });

  it('as a body has more than 64 kB (75)', async () => {
    const login = async (length: number): Promise<number> =>
      (await input.api.request('POST', '/api/login', { body: padded(length) })).status;

    expect(await login(BODY_LIMIT)).toBe(200);
    expect(await login(BODY_LIMIT + 1)).toBe(413);
  });

  it('as a body that is sent all the same leaves the connection open, so that a proxy does not lose the response', async () => {
    const large = rawRequest('POST', '/api/login', [JSON_TYPE], 'x'.repeat(BODY_LIMIT + 1));
    const kept = large.replace('Connection: close\r\n', '');

    const answers = await rawHttp(input.api.url, kept + rawRequest('GET', '/health/live'));

    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  const NESTED: [string, (levels: number) => string][] = [
    ['lists', (levels) => '['.repeat(levels) + ']'.repeat(levels)],
    ['objects', (levels) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)],
    ['lists that do not end', (levels) => '['.repeat(levels)],
    ['objects that do not end', (levels) => '{"a":'.repeat(levels)],
  ];

  it.each(NESTED)(
    'as nesting depth is refused by every route that reads a body: %s (75)',
    async (_, nest) => {
      await input.expectNothingChanged(async () => {
        for (const operation of input.readers) {
          for (const levels of [17, 1000, 10_000, 20_000]) {
            const inner = nest(levels);
            const member = JSON.stringify(input.goodBody(operation)).replace('{', `{"a":${inner},`);
            for (const body of [inner, member].filter(({ length }) => length <= BODY_LIMIT)) {
              const { status } = await input.send(operation, body);
              expectStatus({ path: operation.path, levels }, status, 400);
            }
          }
        }
      });
    },
  );

  const HEADERS: [string, (bytes: number) => string[]][] = [
    ['one long field', (bytes) => [`X-Long: ${'a'.repeat(bytes)}`]],
    ['one long name', (bytes) => [`${'a'.repeat(bytes)}: 1`]],
    ['a long token', (bytes) => [`Authorization: Bearer ${'a'.repeat(bytes)}`]],
    ['many fields', (bytes) => Array<string>(Math.ceil(bytes / 6)).fill('A: 1')],
    ['many cookies', (bytes) => Array<string>(Math.ceil(bytes / 12)).fill('Cookie: a=')],
  ];

  it.each(HEADERS)(
    'as headers is refused on every path, and the connection is closed: %s (75)',
    async (_, fields) => {
      const paths = [...input.operations.map((operation) => input.pathOf(operation)), '/nothing'];
      for (const path of paths) {
        const answer = await rawHttp(input.api.url, rawRequest('GET', path, fields(HEADERS_LIMIT)));
        expectStatus({ path }, statusOf(answer), 431);
        expect(answer).toContain('"code":"headers-too-large"');
      }
      const quarter = rawRequest('GET', '/health/live', fields(HEADERS_LIMIT / 4));
      expect(statusOf(await rawHttp(input.api.url, quarter))).toBe(200);
    },
  );

  it('as a URL is refused (75)', async () => {
    for (const target of [
      `/${'a'.repeat(HEADERS_LIMIT)}`,
      `/?${'a=&'.repeat(HEADERS_LIMIT / 3)}`,
    ]) {
      const answer = await rawHttp(input.api.url, rawRequest('GET', target));
      expect(statusOf(answer)).toBe(431);
    }
    const long = `/api/users/${'a'.repeat(HEADERS_LIMIT / 2)}`;
    const answer = await rawHttp(input.api.url, rawRequest('GET', long));
    expect([400, 401, 404]).toContain(statusOf(answer));
  });
});
