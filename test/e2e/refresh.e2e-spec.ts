import { decode } from '../support/forge.js';
import type { Answer, Tokens } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { sendAndHangUp } from '../support/raw-http.js';
import { dumpKeys } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('a refresh', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  /** Refreshes and expects success. */
  const refreshed = async (refreshToken: string): Promise<Tokens> => {
    const answer = await api.refresh(refreshToken);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  it('answers like a login, for the same session and the same user', async () => {
    const { id, tokens } = await api.newUser();

    const answer = await api.refresh(tokens.refresh_token);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
      session_id: tokens.session_id,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const [before, after] = [tokens, answer.body].map((one) => decode(one.access_token).payload);
    const { auth_time, amr } = before!;
    expect(after).toMatchObject({ sub: id, sid: tokens.session_id, auth_time, amr });
    expect(after!['jti']).not.toBe(before!['jti']);
    expect((await api.ownUser(answer.body.access_token)).body).toMatchObject({ id });
    // The earlier access token is valid until it expires.
    expect((await api.ownUser(tokens.access_token)).status).toBe(200);
  });

  it('returns a new token each time (31), and only the newest can be exchanged', async () => {
    const { tokens } = await api.newUser();
    const seen = [tokens.refresh_token];
    for (let generation = 0; generation < 20; generation += 1) {
      seen.push((await refreshed(seen.at(-1)!)).refresh_token);
    }

    expect(new Set(seen.map((token) => token.split('.')[2])).size).toBe(21);
    const newest = await refreshed(seen.at(-1)!);
    expect(newest.session_id).toBe(tokens.session_id);
    expect((await api.ownUser(newest.access_token)).status).toBe(200);
  });

  it('returns the same tokens again when the response was lost (33)', async () => {
    const { tokens } = await api.newUser();
    const lost = await refreshed(tokens.refresh_token);

    const again = await refreshed(tokens.refresh_token);

    expect(again).toEqual({ ...lost, expires_in: expect.any(Number) });
    expect(again.expires_in).toBeGreaterThan(880);
    expect(again.expires_in).toBeLessThanOrEqual(900);
    expect((await api.ownUser(again.access_token)).status).toBe(200);
    expect((await refreshed(again.refresh_token)).session_id).toBe(tokens.session_id);
  });

  it('that is sent many times in parallel has one successor, and logs nobody out (34)', async () => {
    const { tokens } = await api.newUser();

    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.refresh(tokens.refresh_token)),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(50).fill(200));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1);
    const [{ body }] = answers as [Answer<Tokens>];
    expect((await api.ownUser(body.access_token)).status).toBe(200);
    const next = await refreshed(body.refresh_token);
    expect((await api.ownUser(next.access_token)).status).toBe(200);
  });

  it('can be repeated after a disconnect, and creates no second refresh chain (36)', async () => {
    const { tokens } = await api.newUser();
    let newest = tokens.refresh_token;
    for (let round = 0; round < 20; round += 1) {
      const body = JSON.stringify({ refresh_token: newest });
      const head = `Host: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      await sendAndHangUp(api.url, `POST /api/refresh HTTP/1.1\r\n${head}\r\n\r\n${body}`);
      const retries = await Promise.all([api.refresh(newest), api.refresh(newest)]);

      expect(retries.map(({ status }) => status)).toEqual([200, 200]);
      expect(retries[0].body.refresh_token).toBe(retries[1].body.refresh_token);
      newest = retries[0].body.refresh_token;
    }
    expect((await api.ownUser((await refreshed(newest)).access_token)).status).toBe(200);
  });

  it('leaves no token in Redis, spent or not (30)', async () => {
    const { tokens } = await api.newUser();
    const second = await refreshed(tokens.refresh_token);
    const third = await refreshed(second.refresh_token);

    const { keys, values } = await dumpKeys(api.keyPrefix);

    const stored = JSON.stringify(values) + keys.join();
    expect(stored).toContain(tokens.session_id);
    for (const { access_token, refresh_token } of [tokens, second, third]) {
      expect(stored).not.toContain(refresh_token.split('.')[2]);
      expect(stored).not.toContain(refresh_token.split('.')[3]);
      expect(stored).not.toContain(access_token.split('.')[2]);
    }
  });
});

describe('the maximum age of a session (37)', () => {
  let api: TestApp;
  afterEach(async () => api.close());

  it('is not extended by refreshing', async () => {
    api = await startTestApp({ SESSION_MAX_AGE: '2s' });
    const { username } = await api.newUser();
    const begin = performance.now();
    let { body: newest } = await api.login(username);

    await eventually('the session is over', 10_000, async () => {
      const { status, body } = await api.refresh(newest.refresh_token);
      newest = status === 200 ? body : newest;
      return status === 401;
    });

    expect(performance.now() - begin).toBeGreaterThan(1900);
    expect((await api.ownUser(newest.access_token)).status).toBe(401);
    expect((await api.login(username)).status).toBe(200);
  });
});
