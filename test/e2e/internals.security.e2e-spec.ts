import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PRODUCTION = { NODE_ENV: 'production', TRUSTED_PROXIES: '10.0.0.1' };
const DOCUMENTS = ['/docs', '/docs/', '/docs-json', '/docs/swagger-ui-init.js', '/docs-yaml'];
const NUMBERS = /master|replica|slot|trusts|redis/i;

/** Requirement 88: access to internals and health details. */
describe('in production', () => {
  let api: TestApp;
  let management: HttpClient;
  let documented: TestApp;
  beforeAll(async () => {
    documented = await startTestApp({ ...PRODUCTION, API_DOCS: 'on' });
    const port = await freePort();
    api = await startTestApp({ ...PRODUCTION, MANAGEMENT_PORT: String(port) });
    management = new HttpClient(`http://127.0.0.1:${port}`);
  });
  afterAll(async () => documented.close());

  it('Swagger UI and the OpenAPI document are not served (88)', async () => {
    for (const client of [api, management]) {
      for (const path of DOCUMENTS) {
        expect({ path, status: (await client.request('GET', path)).status }).toEqual({
          path,
          status: 404,
        });
      }
    }
  });

  it('Swagger UI and the OpenAPI document are served when they are enabled (88)', async () => {
    expect((await documented.request('GET', '/docs')).status).toBe(200);
    expect((await documented.request('GET', '/docs-json')).status).toBe(200);
  });

  it('the public port shows whether an instance is healthy, but no details (88)', async () => {
    expect((await api.request('GET', '/health/live')).body).toEqual({ status: 'ok', checks: {} });
    await eventually('it is ready', 10_000, async () => {
      const { status, body } = await api.request('GET', '/health/ready');
      expect(JSON.stringify(body)).not.toMatch(NUMBERS);
      return status === 200;
    });

    const written = [
      '/metrics',
      '/metrics?',
      '/metrics?a=b',
      '/%6detrics',
      '/metrics/',
      '//metrics',
    ];
    for (const target of written) {
      const answer = await rawHttp(api.url, rawRequest('GET', target));
      expect({ target, status: statusOf(answer) }).toEqual({ target, status: 404 });
      expect(answer).not.toContain('keyslot_');
    }
  });

  it('the management port serves the metrics and the health details (88)', async () => {
    expect((await management.request('GET', '/health/live')).status).toBe(200);
    expect((await management.request<string>('GET', '/metrics')).body).toContain(
      'keyslot_near_cache_lease_held',
    );
    await eventually('it is ready', 10_000, async () => {
      const { status, body } = await management.request('GET', '/health/ready');
      expect(body['checks']).toMatchObject({ redis: { masters: 3 }, isStopping: false });
      return status === 200;
    });
  });

  it('the management port serves nothing else, with any token', async () => {
    const { tokens } = await api.newUser();
    expect((await api.ownUser(tokens.access_token)).status).toBe(200);

    expect((await management.ownUser(tokens.access_token)).status).toBe(404);
    expect((await management.login('somebody')).status).toBe(404);
    for (const other of ['/', '/problems', '/.well-known/jwks.json', '/nothing']) {
      expect((await management.request('GET', other)).status).toBe(404);
    }
    expect((await management.request('POST', '/metrics')).status).toBe(404);
    expect(statusOf(await rawHttp(management.url, 'rubbish\r\n\r\n'))).toBe(400);
  });

  it('the management port reveals no more internals than the public port', async () => {
    const { headers } = await management.request('GET', '/metrics');

    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('server')).toBeNull();
  });

  it('an instance without a management port serves no metrics (88)', async () => {
    expect((await documented.request('GET', '/metrics')).status).toBe(404);
  });

  it('an instance closes the management port when it stops', async () => {
    await api.close();

    await expect(management.request('GET', '/health/live')).rejects.toThrow('fetch failed');
  });
});
