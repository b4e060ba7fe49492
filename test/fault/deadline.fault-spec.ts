import { Wire } from '../chaos/wire.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** The delay in each direction. The deletion of an administrator takes nine steps, and so exceeds the deadline of five seconds. */
const SLOW_MS = 350;
const RECOVERY_MS = 15_000;

/** Promise 3 of the fault tests: bounded response times. */
describe('a request past its deadline', () => {
  let redis: OwnCluster;
  let wire: Wire;
  let api: TestApp;
  beforeAll(async () => {
    redis = await startOwnCluster();
    wire = await Wire.to(redis.cluster.addresses);
    api = await startTestApp({
      ...WITH_ADMINISTRATOR,
      ...redis.variables,
      REDIS_NODES: wire.addresses,
    });
  });
  afterEach(() => wire.restore());
  afterAll(async () => {
    await api.close();
    wire.close();
    await redis.remove();
  });

  it('is answered 503 even if each of its steps was in time, and may be repeated', async () => {
    const { id, username, tokens } = await api.newUser();
    const { body: other } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const promotion = { token: other.access_token, body: { roles: ['admin'] } };
    expect((await api.request('PATCH', `/api/users/${id}`, promotion)).status).toBe(200);
    const body = { password: GOOD_PASSWORD };
    const remove = async () =>
      api.request('DELETE', '/api/user', { token: tokens.access_token, body });

    wire.slowDown(SLOW_MS);
    const late = await remove();
    expect(late.status).toBe(503);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);

    wire.restore();
    await eventually('it is done', RECOVERY_MS, async () => {
      const { status } = await remove();
      // 401: the late request has deleted the user, and with it the session.
      expect([204, 401, 503]).toContain(status);
      return status !== 503;
    });
    expect((await api.login(username)).status).toBe(401);
  });

  it('can be a registration: its name is available again long before the claim expires', async () => {
    const replicas = await Promise.all(
      (await redis.masters()).map((port) => redis.replicaOf(port)),
    );
    replicas.forEach((port) => redis.signal(port, 'SIGSTOP'));
    const name = `late-${Date.now()}`;
    expect((await api.register(name)).status).toBe(503);
    replicas.forEach((port) => redis.signal(port, 'SIGCONT'));

    // A claim expires after 15 seconds.
    await eventually('the same registration succeeds', 10_000, async () => {
      const { status } = await api.register(name);
      expect([201, 409, 503]).toContain(status);
      return status === 201;
    });
    expect((await api.login(name)).status).toBe(200);
  });
});
