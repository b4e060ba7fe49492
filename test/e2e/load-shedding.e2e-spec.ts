import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('an instance with an overloaded event loop', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  /** Blocks the event loop repeatedly for longer than its limit, and serves requests in between. */
  const blockEventLoop = (): (() => void) => {
    let isBlocking = true;
    const hold = (): void => {
      const end = performance.now() + 600;
      while (performance.now() < end);
      if (isBlocking) {
        setImmediate(hold);
      }
    };
    setImmediate(hold);
    return () => (isBlocking = false);
  };

  it('refuses new requests with 503, stays alive for probes, and recovers without a restart', async () => {
    const { tokens } = await api.newUser();
    const stop = blockEventLoop();

    await eventually('a request is refused because of the load', 30_000, async () => {
      const answer = await api.ownUser(tokens.access_token);
      // Before the load is measured, a request may also get no answer from Redis in time.
      expect([200, 503]).toContain(answer.status);
      if (answer.body['code'] !== 'overloaded') {
        return false;
      }
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      return true;
    });
    // In parallel, because the load is measured once a second.
    const paths = ['/health/live', '/metrics', '/health/ready', '/docs-json'];
    await eventually('only liveness and metrics are answered', 30_000, async () => {
      const answers = await Promise.all(paths.map((path) => api.request('GET', path)));
      const [live, metrics, ...others] = answers.map(({ status }) => status);
      expect([live, metrics]).toEqual([200, 200]);
      return others.every((status) => status === 503);
    });
    stop();

    await eventually('it serves again', 30_000, async () => {
      return (await api.ownUser(tokens.access_token)).status === 200;
    });
  });
});
