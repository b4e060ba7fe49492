import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { SessionsService } from '../../src/sessions/index.js';
import { b64, decode, signatureTwin } from '../support/forge.js';
import { rawHttp, statusOf } from '../support/raw-http.js';
import { startWithVictim, type Victim } from '../support/victim.js';

/** Sending and caching of access tokens: requirements 17 to 20. */
describe('access tokens', () => {
  let victim: Victim;
  let api: Victim['api'];
  let token: Victim['token'];
  let signed: Victim['signed'];
  let expectRefused: Victim['expectRefused'];
  beforeAll(async () => {
    victim = await startWithVictim();
    ({ api, token, signed, expectRefused } = victim);
  });
  afterAll(async () => victim.api.close());
  afterEach(async () => victim.expectStillAccepted());

  it('(17) are accepted only alone, after "Bearer" and at least one space', async () => {
    const send = async (value: string): Promise<number> =>
      (await api.request('GET', '/api/user', { headers: { authorization: value } })).status;
    const wrong = [
      token,
      `Bearer${token}`,
      `Bearer\t${token}`,
      `Bearer \t${token}`,
      `Bearer ${token} more`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token},`,
      `Basic ${token}`,
      `JWT ${token}`,
      'Bearer',
      'Bearer ',
      `Bearer "${token}"`,
      `Token Bearer ${token}`,
    ];
    for (const value of wrong) {
      expect({ value, status: await send(value) }).toEqual({ value, status: 401 });
    }
    for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
      expect(await send(`${scheme} ${token}`)).toBe(200);
    }
    // RFC 6750 section 2.1: 1*SP, also for a cached token.
    for (const spaces of ['  ', '   ', ' '.repeat(100)]) {
      const { access_token: cold } = (await api.newUser()).tokens;
      expect(await send(`Bearer${spaces}${cold}`)).toBe(200);
      expect(await send(`Bearer${spaces}${cold}`)).toBe(200);
      expect(await send(`Bearer ${cold}`)).toBe(200);
      expect(await send(`bearer${spaces}${cold}`)).toBe(200);
      expect(await send(`Bearer${spaces}${cold}${spaces}more`)).toBe(401);
    }
    const twice = await rawHttp(
      api.url,
      `GET /api/user HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n` +
        `Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(twice)).toBe(401);
  });

  it('(18) are accepted nowhere else: not in query, body or cookie, not as JWE or JSON', async () => {
    const attempts = [
      api.request('GET', `/api/user?access_token=${token}&token=${token}`),
      api.request('PATCH', '/api/user', { body: { access_token: token } }),
      api.request('GET', '/api/user', {
        headers: { cookie: `access_token=${token}; token=${token}; jwt=${token}` },
      }),
    ];
    for (const answer of await Promise.all(attempts)) {
      expect(answer.status).toBe(401);
    }
    const [h, p, s] = token.split('.');
    await expectRefused(`${h}.${p}.${s}.${p}.${s}`);
    const asJson = b64({ payload: p, signatures: [{ protected: h, signature: s }] });
    await expectRefused(asJson);
    expect(
      (await api.ownUser(JSON.stringify({ payload: p, protected: h, signature: s }))).status,
    ).toBe(401);
  });

  it('(19) get a challenge that does not say which check failed', async () => {
    const missing = await api.request('GET', '/api/user');
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');

    const now = Math.floor(Date.now() / 1000);
    const forgeries = [
      'rubbish',
      signed({ payload: { iat: now - 901, exp: now - 1 } }),
      signed({ payload: { aud: 'x' } }),
      signed({ payload: { sid: randomUUID() } }),
      `${token.slice(0, -8)}AAAAAAAA`,
    ];
    const bodies = new Set<string>();
    for (const forged of forgeries) {
      const answer = await api.ownUser(forged);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="keyslot", error="invalid_token"',
      );
      bodies.add(JSON.stringify({ ...answer.body, requestId: '' }));
    }
    expect(bodies.size).toBe(1);
  });

  const PLAIN = 'Bearer realm="keyslot"';
  const INVALID = 'Bearer realm="keyslot", error="invalid_token"';
  const CREDENTIALS = [
    ['no header', [], PLAIN],
    ['an empty header', [''], PLAIN],
    ['a header of spaces', ['  '], PLAIN],
    ['the scheme alone', ['Bearer'], PLAIN],
    ['the scheme and a space', ['bearer '], PLAIN],
    ['another scheme', ['Basic YTpi'], PLAIN],
    ['a scheme that begins alike', ['Bearerx YTpi'], PLAIN],
    ['rubbish', ['Bearer rubbish'], INVALID],
    ['two words', ['Bearer a b'], INVALID],
    ['a quoted token', ['Bearer "a"'], INVALID],
    ['two tabs', ['Bearer\t\ta'], INVALID],
    ['two headers', ['Bearer a', 'Bearer b'], INVALID],
    ['an empty header and another', ['', 'Bearer b'], INVALID],
  ] as const;
  it.each(CREDENTIALS)(
    '(19) that are missing or malformed get the right challenge on every route and method: %s',
    async (_, headers, challenge) => {
      const routes = [
        'GET /api/user',
        'HEAD /api/user',
        'PATCH /api/user',
        'DELETE /api/user',
        'PUT /api/user/password',
        'GET /api/user/sessions',
        'DELETE /api/user/sessions',
        `DELETE /api/user/sessions/${randomUUID()}`,
        `GET /api/users/${randomUUID()}`,
      ];
      for (const route of routes) {
        const lines = headers.map((value) => `Authorization: ${value}\r\n`).join('');
        const answer = await rawHttp(
          api.url,
          `${route} HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: 0\r\nConnection: close\r\n\r\n`,
        );
        const found = /^WWW-Authenticate: (.*)\r$/im.exec(answer)?.[1];
        expect({ route, status: statusOf(answer), found }).toEqual({
          route,
          status: 401,
          found: challenge,
        });
      }
    },
  );

  it('(20) are cached by all their bytes, and the session is checked at each use', async () => {
    const other = await api.newUser();
    const alive = other.tokens.access_token;
    const twin = signatureTwin(alive);
    expect((await api.ownUser(alive)).body).toMatchObject({ username: other.username });
    // A different encoding of a valid signature is the same token: it is revoked with the session.
    expect((await api.ownUser(twin)).status).toBe(200);
    const [h, , s] = alive.split('.');
    await expectRefused(`${h}.${token.split('.')[1]}.${s}`);

    expect((await api.request('POST', '/api/logout', { token: alive })).status).toBe(204);

    await expectRefused(alive);
    await expectRefused(twin);
    expect((await api.request('POST', '/api/logout', { token: alive })).status).toBe(401);
  });

  it('(20, 41) are revoked individually by id, in every encoding of their signature', async () => {
    const other = await api.newUser();
    const { access_token: alive, refresh_token } = other.tokens;
    const refreshed = await api.request<{ access_token: string }>('POST', '/api/refresh', {
      body: { refresh_token },
    });
    const twin = signatureTwin(alive);
    expect((await api.ownUser(alive)).status).toBe(200);
    expect((await api.ownUser(twin)).status).toBe(200);
    const { sid, jti, exp } = decode(alive).payload as { sid: string; jti: string; exp: number };

    const token = {
      userId: other.id,
      sessionId: sid,
      tokenId: jti,
      expiresAt: new Date(exp * 1000),
    };
    await api.app.get(SessionsService).revokeToken(token, Origin.system, Deadline.none);

    await expectRefused(alive);
    await expectRefused(twin);
    expect((await api.ownUser(refreshed.body.access_token)).status).toBe(200);
  });
});
