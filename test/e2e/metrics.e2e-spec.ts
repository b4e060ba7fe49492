import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SAMPLE =
  /^(?<name>[a-zA-Z_:][\w:]*)(?<labels>\{(?:[a-zA-Z_]\w*="[^"]*",?)*\})? (?<value>-?[\d.e+-]+|NaN|[+-]Inf)$/;

const LEASE_SECONDS = 30;

describe('the metrics', () => {
  let api: TestApp;
  beforeAll(async () => {
    // A long lease, so that it does not expire on a loaded machine.
    api = await startTestApp({
      NEAR_CACHE_LEASE: `${LEASE_SECONDS}s`,
      TRUSTED_PROXIES: '127.0.0.1',
    });
    // The registration loads the signing keys into the cache.
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

  it('are Prometheus text with descriptions and types, and are not cached', async () => {
    const answer = await api.request<string>('GET', '/metrics');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const lines = answer.body.trimEnd().split('\n');
    const samples = lines.filter((line) => !line.startsWith('#') && line !== '');
    for (const line of samples) {
      expect(line).toMatch(SAMPLE);
    }
    // The value of a label may contain spaces.
    const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(series).size).toBe(samples.length);
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

  it('show whether this instance holds its lease, and the size of its cache', async () => {
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

  it('count cache look-ups: a warm request is answered from memory alone', async () => {
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

    // The first use of a token on this instance reads from Redis.
    await api.ownUser((await api.newUser()).tokens.access_token);
    expect(await read(requests('miss'))).toBe(misses + 1);
  });

  it('count the changes and the time until every holder has acknowledged them', async () => {
    const { tokens } = await api.newUser();
    const known = async (): Promise<number[]> => [
      await read(changes('acknowledged')),
      await read(`${NEAR}_change_seconds_count`),
      await read(`${NEAR}_change_seconds_bucket{le="+Inf"}`),
    ];
    const before = await known();
    const seconds = await read(`${NEAR}_change_seconds_sum`);

    expect((await api.logout(tokens.access_token)).status).toBe(204);

    expect(await known()).toEqual(before.map((count) => count + 1));
    expect(await read(`${NEAR}_change_seconds_sum`)).toBeGreaterThan(seconds);
    // The series exists from the start: an alert on its increase would not notice a new series.
    expect(await read(changes('waited-for-lease'))).toBe(0);
    expect(await read(changes('not-confirmed'))).toBe(0);
  });

  const REQUESTS = 'keyslot_http_request_duration_seconds';
  const answered = (method: string, route: string, status: number): string =>
    `${REQUESTS}_count{method="${method}",route="${route}",status="${status}"}`;
  /** The increase of each series during the work; a missing series counts as 0. */
  const risesOf = async (
    series: readonly string[],
    work: () => Promise<unknown>,
  ): Promise<number[]> => {
    const before = await Promise.all(series.map(read));
    await work();
    const after = await Promise.all(series.map(read));
    return after.map((value, index) => (value || 0) - (before[index]! || 0));
  };

  it('count and time the responses, by method, route and status', async () => {
    const { id, tokens } = await api.newUser();
    const token = tokens.access_token;
    const series = [
      answered('GET', '/api/user', 200),
      answered('GET', '/api/user', 401),
      answered('HEAD', '/api/user', 200),
      answered('PATCH', '/api/user', 400),
      answered('GET', '/api/users/{id}', 403),
      answered('GET', '/api/users/{id}', 401),
    ];

    const rises = await risesOf(series, async () => {
      await api.ownUser(token);
      await api.ownUser(token);
      await api.request('GET', '/api/user');
      await fetch(`${api.url}/api/user`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${token}` },
      });
      await api.request('PATCH', '/api/user', { token, body: { email: 1 } });
      await api.request('GET', `/api/users/${id}`, { token });
      await api.request('GET', '/api/users/someone-else');
    });

    expect(rises).toEqual([2, 1, 1, 1, 1, 1]);
    const buckets = (await text())
      .split('\n')
      .filter((line) => line.startsWith(`${REQUESTS}_bucket{method="GET",route="/api/user",`));
    const counts = buckets
      .filter((line) => line.includes('status="200"'))
      .map((line) => Number(line.split(' ').at(-1)));
    expect(counts).toHaveLength(13);
    expect(counts).toEqual([...counts].sort((one, other) => one - other));
    expect(counts.at(-1)).toBe(await read(answered('GET', '/api/user', 200)));
    const sum = `${REQUESTS}_sum{method="GET",route="/api/user",status="200"}`;
    expect(await read(sum)).toBeGreaterThan(0);
    expect(await read(sum)).toBeLessThan(60);
  });

  it('count all requests without a route under one name', async () => {
    const series = [
      answered('GET', 'unknown', 404),
      answered('PUT', 'unknown', 405),
      answered('_OTHER', 'unknown', 404),
    ];

    const rises = await risesOf(series, async () => {
      await api.request('GET', '/nobody-made-this-up-twice');
      await api.request('GET', '/api/users/1/2/3?token=nobody-made-this-up-twice');
      await api.request('PUT', '/api/login');
      await api.request('PROPFIND', '/nobody-made-this-up-twice');
    });

    expect(rises).toEqual([2, 1, 1]);
    expect(await text()).not.toContain('nobody-made-this-up-twice');
  });

  it('count the decisions of the guard, from memory or from Redis', async () => {
    const { tokens } = await api.newUser();
    const verdict = (source: string, name: string): string =>
      `keyslot_guard_verdicts_total{source="${source}",verdict="${name}"}`;
    const series = [
      verdict('memory', 'accepted'),
      verdict('memory', 'refused'),
      verdict('redis', 'accepted'),
      verdict('redis', 'refused'),
      verdict('redis', 'unavailable'),
    ];

    const rises = await risesOf(series, async () => {
      await api.ownUser(tokens.access_token);
      for (let warm = 0; warm < 3; warm += 1) {
        await api.ownUser(tokens.access_token);
      }
      await api.ownUser('made.up.token');
      await api.request('GET', '/api/user');
      // The session is cached, but the signature is invalid.
      const [head, claims] = tokens.access_token.split('.');
      await api.ownUser(`${head}.${claims}.${'A'.repeat(86)}`);
      await api.request('GET', '/health/live');
      const { tokens: ended } = await api.newUser();
      await api.logout(ended.access_token);
      await api.ownUser(ended.access_token);
    });

    expect(rises).toEqual([3, 3, 2, 1, 0]);
  });

  it('count hashed passwords', async () => {
    const HASHING = 'keyslot_password_hashing';

    const rises = await risesOf(
      [
        `${HASHING}_duration_seconds_count`,
        `${HASHING}_refused_total{reason="full"}`,
        `${HASHING}_refused_total{reason="late"}`,
      ],
      () => api.newUser(),
    );

    expect(rises).toEqual([2, 0, 0]);
    expect(await read(`${HASHING}_waiting`)).toBe(0);
    expect(await read(`${HASHING}_running`)).toBe(0);
  });

  it('count and time the calls to Redis, by script and node', async () => {
    const { username, tokens } = await api.newUser();
    const calls = async (call: string): Promise<number> => {
      const lines = (await text()).split('\n');
      return lines
        .filter((line) => line.startsWith('keyslot_redis_call_duration_seconds_count{'))
        .filter((line) => /node="127\.0\.0\.1:\d+"/.test(line))
        .filter((line) => line.includes(`call="${call}"`))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    // The user's node loads the script: the first call of an unknown script is sent twice.
    await api.ownUser(tokens.access_token);
    const { body: next } = await api.login(username);
    const before = await calls('use-session.lua');

    await api.ownUser(next.access_token);
    await api.ownUser(next.access_token);

    expect((await calls('use-session.lua')) - before).toBe(1);
    // The readiness check in earlier scrapes has sent it.
    expect(await calls('cluster info')).toBeGreaterThan(0);
  });

  it('show the results of readiness', async () => {
    let metrics = '';
    // On a loaded machine a node may not answer in time.
    await eventually('all nodes have answered', 10_000, async () => {
      metrics = await text();
      return metrics.includes('keyslot_health_status{status="ok"} 1');
    });

    const told = metrics
      .split('\n')
      .filter((line) => /^keyslot_(?:health|redis_(?!call|single_copy_writes))/.test(line));
    expect(told).toEqual([
      'keyslot_health_status{status="ok"} 1',
      'keyslot_health_status{status="degraded"} 0',
      'keyslot_health_status{status="not-ready"} 0',
      'keyslot_redis_masters 3',
      'keyslot_redis_unreached_masters 0',
      'keyslot_redis_replicas 3',
      'keyslot_redis_uncovered_slots 0',
    ]);
  });

  it('show the delay of the event loop', async () => {
    const [active, idle] = ['active', 'idle'].map(
      (state) => `keyslot_event_loop_seconds_total{state="${state}"}`,
    );

    const rises = await risesOf([active!, idle!], () => api.newUser());

    expect(Math.min(...rises)).toBeGreaterThan(0);
    expect(await read('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  it('contain no token and no personal data (90)', async () => {
    const user = await api.newUser();
    const { body: next } = await api.refresh(user.tokens.refresh_token);
    await api.ownUser(next.access_token);
    await api.request('POST', '/api/login', {
      body: { username: user.username, password: 'not the password at all' },
      headers: { 'x-forwarded-for': '203.0.113.77' },
    });
    await api.request('DELETE', '/api/user', {
      token: next.access_token,
      body: { password: user.password },
    });

    const exposed = await text();

    const tokens = [user.tokens, next].flatMap((one) => [one.access_token, one.refresh_token]);
    const personal = [
      user.username,
      user.id,
      user.password,
      user.tokens.session_id,
      '203.0.113.77',
    ];
    for (const secret of [...tokens.flatMap((token) => token.split('.')), ...personal]) {
      expect(exposed).not.toContain(secret);
    }
  });
});
