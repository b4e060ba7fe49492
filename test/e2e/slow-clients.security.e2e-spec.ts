import type { Server } from 'node:http';
import { setInterval as ticks } from 'node:timers/promises';

import { SlowClient, type SendPattern } from '../support/slow-client.js';
import { rawRequest } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const TICK_MS = 250;
const CLIENTS_OF_A_KIND = 15;
/** Twice the maximum duration of the slowest client. */
const TIMEOUT_MS = 40_000;

const LINE = 'GET /api/user HTTP/1.1\r\nHost: a\r\n';
const body = (path: string, type: string, framing: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;
/** A response that is larger than the buffers of the connection. */
const LARGE = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n';
const LONG = 'Content-Length: 60000';
const JSON_TYPE = 'application/json';

interface Kind extends SendPattern {
  readonly who: string;
  /** The response that is sent before the connection is closed. */
  readonly answer: RegExp;
}

const TIMED_OUT = /^HTTP\/1\.1 408 .*"code":"request-timeout"/s;
const KINDS: Kind[] = [
  { who: 'say nothing', first: '', answer: TIMED_OUT },
  { who: 'send empty lines', first: '\r\n', drip: '\r\n', answer: TIMED_OUT },
  { who: 'send a field at a time', first: LINE, drip: 'X-Slow: 1\r\n', answer: TIMED_OUT },
  { who: 'send a field without end', first: `${LINE}X-Slow: `, drip: 'a', answer: TIMED_OUT },
  { who: 'stop within the headers', first: LINE, answer: TIMED_OUT },
  {
    who: 'send a body byte by byte',
    first: body('/api/login', JSON_TYPE, LONG),
    drip: ' ',
    answer: TIMED_OUT,
  },
  { who: 'stop before the body', first: body('/api/users', JSON_TYPE, LONG), answer: TIMED_OUT },
  {
    who: 'send a body to a route that is guarded',
    first: body('/api/logout', JSON_TYPE, LONG),
    drip: ' ',
    answer: TIMED_OUT,
  },
  {
    who: 'send chunks of one byte',
    first: body('/api/login', JSON_TYPE, 'Transfer-Encoding: chunked'),
    drip: '1\r\n \r\n',
    answer: TIMED_OUT,
  },
  {
    who: 'send a body to nowhere',
    first: body('/nothing', JSON_TYPE, LONG),
    drip: ' ',
    answer: TIMED_OUT,
  },
  {
    who: 'go on sending what was refused',
    first: body('/api/login', 'text/plain', LONG),
    drip: 'a',
    answer: /^HTTP\/1\.1 415 /,
  },
  {
    who: 'are slow with their second request',
    first: `GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n${LINE}`,
    drip: 'X-Slow: 1\r\n',
    answer: /^HTTP\/1\.1 200 .*HTTP\/1\.1 408 /s,
  },
  {
    who: 'do not hang up after a refusal',
    first: 'GARBAGE\r\n\r\n',
    answer: /^HTTP\/1\.1 400 .*"code":"malformed-request"/s,
  },
  {
    who: 'do not hang up after their last answer',
    first: rawRequest('GET', '/health/live'),
    answer: /^HTTP\/1\.1 200 /,
  },
];

/** Requirement 75, for the speed of input. The amount of input is tested in sizes. */
describe('slow clients', () => {
  let api: TestApp;
  let server: Server;
  let token: string;
  const clients: { client: SlowClient; kind: Kind }[] = [];
  beforeAll(async () => {
    api = await startTestApp();
    server = api.app.getHttpServer();
    token = (await api.newUser()).tokens.access_token;
  });
  afterAll(async () => {
    clients.forEach(({ client }) => client.hangUp());
    await api.close();
  });

  /** Serves another client in the meantime. */
  const untilCutOff = async (rest: () => string[]): Promise<void> => {
    expect(rest()).not.toEqual([]);
    const beginning = performance.now();
    const clock = ticks(TICK_MS)[Symbol.asyncIterator]();
    while (rest().length > 0) {
      await clock.next();
      clients.forEach(({ client }) => client.drip());
      expect((await api.ownUser(token)).status).toBe(200);
      const body = { displayName: `Tick ${Math.round(performance.now())}` };
      expect((await api.request('PATCH', '/api/user', { token, body })).status).toBe(200);
      const isHanging = performance.now() - beginning > TIMEOUT_MS;
      expect(isHanging ? rest() : []).toEqual([]);
    }
    await clock.return?.();
  };

  it('of all kinds are disconnected, and other clients are served without interruption (75)', async () => {
    const clientKinds = KINDS.flatMap((kind) => Array<Kind>(CLIENTS_OF_A_KIND).fill(kind));
    await Promise.all(
      clientKinds.map(async (kind) => {
        clients.push({ client: await SlowClient.connect(server, api.url, kind), kind });
      }),
    );
    const rest = (): string[] => [
      ...new Set(clients.filter(({ client }) => !client.isCutOff).map(({ kind }) => kind.who)),
    ];
    await untilCutOff(rest);

    for (const { client, kind } of clients) {
      expect({ who: kind.who, received: client.received }).toEqual({
        who: kind.who,
        received: expect.stringMatching(kind.answer),
      });
    }
  });

  it('are disconnected when they do not read the response (75)', async () => {
    expect(server.timeout).toBeGreaterThan(0);
    // A tenth of the usual timeout. Node closes the connection after twice the value.
    server.timeout /= 10;
    const largeRequests = { first: LARGE.repeat(20), readsNothing: true };
    const client = await SlowClient.connect(server, api.url, largeRequests);

    await untilCutOff(() => (client.isCutOff ? [] : ['the one that does not read']));

    client.hangUp();
  });
});
