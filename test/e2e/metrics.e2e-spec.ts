import { startTestApp, type TestApp } from '../support/test-app.js';

const SAMPLE =
  /^(?<name>[a-zA-Z_:][\w:]*)(?<labels>\{(?:[a-zA-Z_]\w*="[^"]*",?)*\})? (?<value>-?[\d.e+-]+|NaN|[+-]Inf)$/;

const LEASE_SECONDS = 30;

describe('the metrics', () => {
  let api: TestApp;
  beforeAll(async () => {
    // With a lease that no busy moment of the machine outlasts.
    api = await startTestApp({ NEAR_CACHE_LEASE: `${LEASE_SECONDS}s` });
    // From here on the signing keys are in memory.
    await api.newUser();
  });
  afterAll(async () => api.close());

  const text = async (): Promise<string> => (await api.request<string>('GET', '/metrics')).body;
  /** The value of one series, such as `name{label="value"}`. */
  const read = async (series: string): Promise<number> => {
    const line = (await text()).split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1));
  };
  const NEAR = 'keyslot_near_cache';
  const requests = (result: string): string => `${NEAR}_requests_total{result="${result}"}`;
  const changes = (outcome: string): string => `${NEAR}_changes_total{outcome="${outcome}"}`;

  it('are Prometheus text, described and typed, and stored by nobody', async () => {
    const answer = await api.request<string>('GET', '/metrics');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const lines = answer.body.trimEnd().split('\n');
    const samples = lines.filter((line) => !line.startsWith('#') && line !== '');
    for (const line of samples) {
      expect(line).toMatch(SAMPLE);
    }
    expect(new Set(samples.map((line) => line.split(' ')[0])).size).toBe(samples.length);
    const types = new Map(
      lines
        .filter((line) => line.startsWith('# TYPE '))
        .map((line) => line.split(' ').slice(2) as [string, string]),
    );
    expect(Object.fromEntries(types)).toMatchObject({
      [`${NEAR}_entries`]: 'gauge',
      [`${NEAR}_bytes`]: 'gauge',
      [`${NEAR}_lease_held`]: 'gauge',
      [`${NEAR}_lease_remaining_seconds`]: 'gauge',
      [`${NEAR}_requests_total`]: 'counter',
      [`${NEAR}_lease_events_total`]: 'counter',
      [`${NEAR}_changes_total`]: 'counter',
      [`${NEAR}_change_seconds`]: 'histogram',
      process_cpu_seconds_total: 'counter',
    });
    for (const name of types.keys()) {
      expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1);
    }
  });

  it('tell that the memory of this instance is trusted, and how full it is', async () => {
    expect(await read(`${NEAR}_lease_held`)).toBe(1);
    expect(await read(`${NEAR}_lease_remaining_seconds`)).toBeGreaterThan(0);
    expect(await read(`${NEAR}_lease_remaining_seconds`)).toBeLessThanOrEqual(LEASE_SECONDS);
    expect(await read(`${NEAR}_lease_events_total{event="joined"}`)).toBe(1);
    const [entries, bytes] = [await read(`${NEAR}_entries`), await read(`${NEAR}_bytes`)];

    const { tokens } = await api.newUser();
    await api.ownUser(tokens.access_token);

    expect(await read(`${NEAR}_entries`)).toBe(entries + 1);
    expect(await read(`${NEAR}_bytes`)).toBeGreaterThan(bytes);
  });

  it('count the look-ups: a warm request is answered from memory alone', async () => {
    const { tokens } = await api.newUser();
    await api.ownUser(tokens.access_token);
    const results = ['hit', 'miss', 'untrusted'];
    const [hits, misses, untrusted] = (await Promise.all(
      results.map((result) => read(requests(result))),
    )) as [number, number, number];

    for (let request = 1; request <= 10; request += 1) {
      expect((await api.ownUser(tokens.access_token)).status).toBe(200);
      const rise = (await read(requests('hit'))) - hits;
      expect({ request, rise }).toEqual({ request, rise: request });
    }
    expect(await read(requests('miss'))).toBe(misses);
    expect(await read(requests('untrusted'))).toBe(untrusted);

    // A token that this instance has not seen has to be asked for.
    await api.ownUser((await api.newUser()).tokens.access_token);
    expect(await read(requests('miss'))).toBe(misses + 1);
  });

  it('count the changes and how long they took until every instance knew', async () => {
    const { tokens } = await api.newUser();
    const known = async (): Promise<number[]> => [
      (await read(changes('acknowledged'))) || 0,
      await read(`${NEAR}_change_seconds_count`),
      await read(`${NEAR}_change_seconds_bucket{le="+Inf"}`),
    ];
    const before = await known();
    const seconds = await read(`${NEAR}_change_seconds_sum`);

    expect((await api.logout(tokens.access_token)).status).toBe(204);

    expect(await known()).toEqual(before.map((count) => count + 1));
    expect(await read(`${NEAR}_change_seconds_sum`)).toBeGreaterThan(seconds);
    expect(await text()).not.toContain(changes('waited-for-lease'));
    expect(await text()).not.toContain(changes('not-confirmed'));
  });

  it('hold no token, and nothing about who did what (90)', async () => {
    const user = await api.newUser();
    const { body: next } = await api.refresh(user.tokens.refresh_token);
    await api.ownUser(next.access_token);
    await api.login(user.username, 'not the password at all');
    await api.request('DELETE', '/api/user', {
      token: next.access_token,
      body: { password: user.password },
    });

    const exposed = await text();

    const tokens = [user.tokens, next].flatMap((one) => [one.access_token, one.refresh_token]);
    const personal = [user.username, user.id, user.password, user.tokens.session_id, '127.0.0.1'];
    for (const secret of [...tokens.flatMap((token) => token.split('.')), ...personal]) {
      expect(exposed).not.toContain(secret);
    }
  });
});
