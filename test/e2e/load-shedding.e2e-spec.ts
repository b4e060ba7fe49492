import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('an instance with an overloaded event loop', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  /** Holds the event loop for longer than it may be late, over and over, and lets requests through in between. */
  const drown = (): (() => void) => {
    let isDrowning = true;
    const hold = (): void => {
      const end = performance.now() + 600;
      while (performance.now() < end);
      if (isDrowning) {
        setImmediate(hold);
      }
    };
    setImmediate(hold);
    return () => (isDrowning = false);
  };

  it('refuses new requests with 503, reports that it is alive, and recovers by itself', async () => {
    const { tokens } = await api.newUser();
    const stop = drown();

    await eventually('a request is refused', 30_000, async () => {
      const answer = await api.ownUser(tokens.access_token);
      expect([200, 503]).toContain(answer.status);
      if (answer.status === 503) {
        expect(answer.body).toMatchObject({ code: 'overloaded' });
        expect(answer.headers.get('retry-after')).toBe('2');
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      }
      return answer.status === 503;
    });
    // All at once, because the load is measured once a second.
    const paths = ['/health/live', '/metrics', '/health/ready', '/docs-json'];
    await eventually('only what has to answer does', 30_000, async () => {
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
