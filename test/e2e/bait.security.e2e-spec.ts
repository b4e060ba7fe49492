import { randomUUID } from 'node:crypto';

import { expectStatus, startBadInput, type BadInput } from '../support/bad-input.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';

const BAIT_BYTES = 50_000;
/** Close to the maximum size of a header section. */
const HEADER_BYTES = 15_000;
/** The limit of requirement 80. */
const MAX_CPU_MS = 100;
/** The least of several differences: garbage collection and compilation affect only some of them. */
const TIMES = 5;

/** Repeats the text until its JSON has this many bytes. */
const filled = (text: string, bytes: number): string =>
  text.repeat(Math.floor(bytes / (Buffer.byteLength(JSON.stringify(text)) - 2)));
/** Inputs that cause backtracking in patterns for addresses, names and numbers, or that are expensive to normalize. */
const BAITS: [string, (bytes: number) => string][] = [
  ['letters', (bytes) => filled('a', bytes)],
  ['letters and an end that does not fit', (bytes) => `${filled('a', bytes)}!`],
  ['an endless mailbox', (bytes) => `${filled('a.', bytes)}@example.com`],
  ['an endless domain', (bytes) => `a@${filled('a.', bytes)}`],
  ['a domain of hyphens', (bytes) => `a@${filled('-', bytes)}.com`],
  ['a quoted mailbox without end', (bytes) => `"${filled('\\"', bytes)}`],
  ['at signs', (bytes) => filled('@', bytes)],
  ['addresses in brackets', (bytes) => filled('<a@b.c>', bytes)],
  ['a literal address', (bytes) => `a@[${filled('1.', bytes)}`],
  ['spaces and an end', (bytes) => `${filled(' ', bytes)}a`],
  ['digits', (bytes) => `${filled('1', bytes)}a`],
  ['marks in the wrong order', (bytes) => `a${filled('\u0301\u0323', bytes)}`],
  ['letters that are written as 18', (bytes) => filled('\ufdfa', bytes)],
  ['zero-width characters', (bytes) => filled('\u200b', bytes)],
  ['Hangul in parts', (bytes) => filled('\u1100\u1161\u11a8', bytes)],
];

/** Requirement 80: refusing any input is cheap. */
describe('input that is expensive to process', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  /** CPU time of this process, which runs the application too, and its garbage collection in other threads. */
  const cpuMs = async (work: () => Promise<void>): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  /** A request that is refused and has nothing expensive in it. */
  const plainRefusal = async (): Promise<void> => {
    const { status } = await input.api.request('GET', '/api/user');
    expect(status).toBe(401);
  };
  /** Compares with a request at the same time: what else the process does then makes both dearer. */
  const expectCheap = async (
    work: () => Promise<void>,
    comparable: () => Promise<void> = plainRefusal,
  ): Promise<void> => {
    let least = Infinity;
    for (let time = 0; time < TIMES && least >= MAX_CPU_MS; time += 1) {
      const usual = await cpuMs(comparable);
      least = Math.min(least, (await cpuMs(work)) - usual);
    }
    expect(least).toBeLessThan(MAX_CPU_MS);
  };

  it.each(BAITS)(
    'of 50 kB is refused at once, in any member that has rules: %s (80)',
    async (_, of) => {
      const bait = of(BAIT_BYTES);
      const RULED = ['username', 'email', 'displayName', 'newPassword', 'roles'];
      await input.expectNothingChanged(async () => {
        for (const operation of input.readers) {
          const { method, path, body } = operation;
          for (const name of Object.keys(body.properties).filter((one) => RULED.includes(one))) {
            // A login accepts any text as name and password, and answers 401 for an unknown name.
            if (path === '/api/login') {
              continue;
            }
            const members = { ...input.goodBody(operation), [name]: bait };
            await expectCheap(async () => {
              expectStatus(
                { method, path, name },
                (await input.send(operation, members)).status,
                400,
              );
            });
          }
        }
      });
    },
  );

  it.each(BAITS)('is cheap in a header: %s (80)', async (_, of) => {
    const text = Buffer.from(of(HEADER_BYTES)).toString('latin1').slice(0, HEADER_BYTES);
    const names = ['Authorization', 'Accept-Language', 'User-Agent', 'Accept'];
    const forwarded = [
      'X-Forwarded-For',
      'Forwarded',
      'Cookie',
      'Range',
      'If-None-Match',
      'Origin',
    ];
    for (const name of [...names, ...forwarded]) {
      for (const start of ['', 'Bearer ', 'en;q=0.', 'application/json;', 'text/html;q=']) {
        const value = `${start}${text}`.replace(/\p{Cc}/gu, '');
        await expectCheap(async () => {
          const isType = name === 'Content-Type';
          const sent = rawRequest('POST', '/api/logout', [`${name}: ${value}`], isType ? '{}' : '');
          const status = statusOf(await rawHttp(input.api.url, sent));
          expectStatus({ name, start }, status, isType ? 415 : 401);
        });
      }
    }
  });

  it('is cheap in a URL (80)', async () => {
    for (const part of ['a', '/', '%2e%2e/', '../', ';a=b', '%20', 'a=&', '[]=&', '%25']) {
      const long = filled(part, HEADER_BYTES);
      for (const target of [
        `/${long}`,
        `/api/users/${long}`,
        `/api/user?${long}`,
        `/docs/${long}`,
      ]) {
        await expectCheap(async () => {
          const status = statusOf(await rawHttp(input.api.url, rawRequest('GET', target)));
          expect({
            part,
            target: target.slice(0, 20),
            isRefused: status >= 400 && status < 500,
          }).toEqual({ part, target: target.slice(0, 20), isRefused: true });
        });
      }
    }
  });

  it('is cheap as many small members (80)', async () => {
    const bodies = [
      `{${Array.from({ length: 4000 }, (_, index) => `"m${index}":1`).join(',')}}`,
      `{"roles":[${'"admin",'.repeat(6000)}"root"]}`,
      `{"roles":[${'[],'.repeat(15_000)}[]]}`,
      `{${'"displayName":1,'.repeat(3000)}"displayName":1}`,
      `{"displayName":${'1'.repeat(60_000)}}`,
      `{"displayName":"${'\\u0061'.repeat(9000)}"}`,
    ];
    await input.expectNothingChanged(async () => {
      for (const operation of input.readers.filter(({ method }) => method === 'PATCH')) {
        for (const body of bodies) {
          await expectCheap(async () => {
            const { status } = await input.send(operation, body);
            expectStatus({ path: operation.path, body: body.slice(0, 30) }, status, 400);
          });
        }
      }
    });
  });

  it('costs no more at login than a wrong password, and a session stores little of it (80)', async () => {
    const { api, user } = input;
    const fail = async (username: string, password: string): Promise<void> => {
      const answer = await api.request('POST', '/api/login', { body: { username, password } });
      // All invalid names count as one account, which is soon throttled.
      expect(username.startsWith('nobody') ? [401] : [401, 429]).toContain(answer.status);
    };
    const wrongPassword = async (): Promise<void> =>
      fail(`nobody-${randomUUID()}`, 'not the password');
    for (const [index, [, of]] of BAITS.entries()) {
      for (const [name, password] of [
        [`nobody-${index}`, of(BAIT_BYTES)],
        [Array.from(of(BAIT_BYTES)).slice(0, 100).join(''), 'x'],
        [of(BAIT_BYTES), 'x'],
      ] as const) {
        await expectCheap(async () => fail(name, password), wrongPassword);
      }
    }
    const headers = { 'user-agent': filled('agent ', HEADER_BYTES) };
    const body = { username: user.username, password: user.password };
    const login = await api.request('POST', '/api/login', { body, headers });
    const options = { token: String(login.body['access_token']) };
    const { body: sessions } = await api.request('GET', '/api/user/sessions', options);
    const agents = (sessions['items'] as { userAgent: string }[]).map(({ userAgent }) => userAgent);
    expect(agents).toHaveLength(2);
    expect(Math.max(...agents.map(({ length }) => length))).toBeLessThan(1000);
  });
});
