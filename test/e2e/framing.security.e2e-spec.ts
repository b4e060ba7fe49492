import { GOOD_PASSWORD, type TestUser } from '../support/http-client.js';
import { answersIn, rawHttp, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** Requirement 76: requests that two servers in a row could parse differently. */
describe('a request with ambiguous framing', () => {
  let api: TestApp;
  let user: TestUser;
  let body: string;
  beforeAll(async () => {
    api = await startTestApp();
    user = await api.newUser();
    body = JSON.stringify({ username: user.username, password: GOOD_PASSWORD });
  });
  afterAll(async () => api.close());
  afterEach(async () => expect((await api.ownUser(user.tokens.access_token)).status).toBe(200));

  /** A smuggled request: it would log the user out if the server parsed it as a second request. */
  const smuggled = (): string =>
    `POST /api/logout HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${user.tokens.access_token}\r\n\r\n`;
  const expectRefusedAndClosed = async (message: string): Promise<void> => {
    const answer = await rawHttp(api.url, message);
    expect({ message, status: statusOf(answer), answers: answersIn(answer) }).toEqual({
      message,
      status: 400,
      answers: 1,
    });
    expect(answer).toMatch(/^Connection: close\r$/im);
    expect(answer).toContain('"code":"malformed-request"');
  };
  const login = (...fields: string[]): string =>
    [
      'POST /api/login HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      ...fields,
      '',
      '',
    ].join('\r\n');
  const chunked = (): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  it.each([
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['chunks in capitals and a length', ['TRANSFER-ENCODING: CHUNKED', 'Content-Length: 5']],
    ['an unknown coding', ['Transfer-Encoding: xchunked']],
    ['identity', ['Transfer-Encoding: identity']],
    ['chunks that are not last', ['Transfer-Encoding: chunked, identity']],
    ['chunks twice', ['Transfer-Encoding: chunked, chunked']],
    ['chunks in two fields', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['a coding before the chunks', ['Transfer-Encoding: gzip, chunked']],
    ['identity before the chunks', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']],
    ['a quoted coding', ['Transfer-Encoding: "chunked"']],
    ['a space before the colon', ['Transfer-Encoding : chunked']],
    ['a vertical tab before chunked', ['Transfer-Encoding: \x0bchunked']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['the same length twice', ['Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', ['Content-Length: 5, 5']],
    ['a negative length', ['Content-Length: -1']],
    ['a length with a sign', ['Content-Length: +5']],
    ['a hexadecimal length', ['Content-Length: 0x5']],
    ['a length with an exponent', ['Content-Length: 1e1']],
    ['a fraction of a length', ['Content-Length: 5.0']],
    ['a very long length', ['Content-Length: 99999999999999999999']],
    ['an empty length', ['Content-Length: ']],
    ['a folded length', ['Content-Length:', ' 5']],
    ['a folded field', ['X-Long: a', ' b']],
    ['a folded field after a tab', ['X-Long: a', '\tb']],
    ['a NUL in a field', ['X-Nul: a\0b']],
    ['a NUL in a name', ['X-\0Nul: a']],
    ['a carriage return in a field', ['X-Cr: a\rb']],
    ['a line feed that ends a field', ['X-Lf: a\nX-Other: b']],
    ['a space in a name', ['X Y: a']],
    ['a field without a colon', ['X-None']],
    ['a field without a name', [': a']],
    ['a second host', ['Host: b']],
    ['the same host again', ['hOsT: a']],
  ])('is refused, and the rest of the connection is not read: %s (76)', async (_, fields) => {
    await expectRefusedAndClosed(login(...fields) + chunked() + smuggled());
  });

  it('is refused when any line ends with a bare line feed (76)', async () => {
    const line = 'GET /api/user HTTP/1.1';
    for (const message of [
      `${line}\nHost: a\n\n`,
      `${line}\nHost: a\r\n\r\n`,
      `${line}\r\nHost: a\n\r\n`,
      `${line}\r\nHost: a\r\n\n`,
      `${line}\rHost: a\r\r`,
    ]) {
      await expectRefusedAndClosed(message + smuggled());
    }
  });

  it('is refused when its chunks are broken (76)', async () => {
    const size = body.length.toString(16);
    for (const chunks of [
      `zz\r\n${body}\r\n0\r\n\r\n`,
      `-1\r\n${body}\r\n0\r\n\r\n`,
      `0x${size}\r\n${body}\r\n0\r\n\r\n`,
      `${size}\n${body}\n0\n\n`,
      `${size};a\nb\r\n${body}\r\n0\r\n\r\n`,
      `${size} \r\n${body}\r\n0\r\n\r\n`,
      `${size}\r\n${body}0\r\n\r\n`,
      `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
      `${size};${'a'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`,
    ]) {
      await expectRefusedAndClosed(login('Transfer-Encoding: chunked') + chunks + smuggled());
    }
  });

  it('is refused without a host, or with an invalid request line (76)', async () => {
    await expectRefusedAndClosed(`GET /api/user HTTP/1.1\r\n\r\n${smuggled()}`);
    await expectRefusedAndClosed(`POST /nothing HTTP/1.1\r\nX-Host: a\r\n\r\n${smuggled()}`);
    for (const line of [
      ' GET /api/user HTTP/1.1',
      'GET /api/user HTTP/1.1 x',
      'GET /api user HTTP/1.1',
      'GET /api/user HTTP/1.2',
      'GET /api/user HTTP/9.9',
      'GET /api/user HTTPS/1.1',
      'GET /api/user http/1.1',
      'get /api/user HTTP/1.1',
      'G\0ET /api/user HTTP/1.1',
      'NOTHING /api/user HTTP/1.1',
      'GET /api/user\0 HTTP/1.1',
      'PRI * HTTP/2.0',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03',
    ]) {
      await expectRefusedAndClosed(`${line}\r\nHost: a\r\n\r\n${smuggled()}`);
    }
  });

  it('is distinguished from an HTTP/1.0 request without a host, which is served (76)', async () => {
    expect(statusOf(await rawHttp(api.url, 'GET /health/live HTTP/1.0\r\n\r\n'))).toBe(200);
  });

  it('is distinguished from a request with valid chunks, which is served (76)', async () => {
    for (const coding of ['chunked', 'Chunked', ' chunked ']) {
      const message = login(`Transfer-Encoding:${coding}`, 'Connection: close') + chunked();
      expect(statusOf(await rawHttp(api.url, message))).toBe(200);
    }
  });
});
