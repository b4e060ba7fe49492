import type { Answer } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp } from '../support/test-app.js';

describe('health', () => {
  it('is alive and ready on a healthy cluster', async () => {
    const api = await startTestApp();

    expect((await api.request('GET', '/health/live')).status).toBe(200);
    let ready!: Answer<unknown>;
    // On a loaded machine the instance may lose its lease for a moment.
    await eventually('it is ready', 10_000, async () => {
      ready = await api.request('GET', '/health/ready');
      return ready.status === 200;
    });

    expect(ready.body).toEqual({
      status: 'ok',
      checks: {
        redis: {
          isHealthy: true,
          masters: 3,
          unreachedMasters: 0,
          replicas: 3,
          singleCopyShards: [],
          uncoveredSlots: 0,
        },
        hasSigningKeys: true,
        trustsMemory: true,
        isStopping: false,
        // The Redis user of the tests may not read the policy.
        evictionPolicy: null,
      },
    });
    await api.close();
  });
});
