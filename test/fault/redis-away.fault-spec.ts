import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { basic, createAccount, postForm, type TestAccount } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const MAX_RESPONSE_MS = 2000;
const RECOVERY_MS = 15_000;

/** Promise 3 of the fault tests: instances fail closed, fail quickly, and recover without help. */
describe('with Redis unavailable (98)', () => {
  let redis: OwnCluster;
  let api: TestApp;
  let user: TestUser;
  /** The session may end: a refresh that was answered 503 may have been carried out. */
  let refreshing: TestUser;
  let account: TestAccount;

  const start = async (): Promise<void> => {
    redis = await startOwnCluster();
    api = await startTestApp({ ...redis.variables, ...WITH_ADMINISTRATOR });
    const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    account = await createAccount(api, body.access_token);
  };
  const stop = async (): Promise<void> => {
    await api.close();
    await redis.remove();
  };
  const addUsers = async (): Promise<void> => {
    user = await api.newUser();
    refreshing = await api.newUser();
  };

  const postOAuth = async (
    path: string,
    fields: Record<string, string>,
  ): Promise<Answer<unknown>> => postForm(api, path, fields, basic(account));
  const requests: [string, () => Promise<Answer<unknown>>][] = [
    ['a guarded read', () => api.ownUser(user.tokens.access_token)],
    ['a login', () => api.login(user.username)],
    ['a refresh', () => api.refresh(refreshing.tokens.refresh_token)],
    ['a registration', () => api.register('somebody-new')],
    ['a logout', () => api.request('POST', '/api/logout', { token: user.tokens.access_token })],
    ['a token request', () => postOAuth('/oauth/token', { grant_type: 'client_credentials' })],
    ['an introspection', () => postOAuth('/oauth/introspect', { token: user.tokens.access_token })],
    ['a revocation', () => postOAuth('/oauth/revoke', { token: user.tokens.refresh_token })],
    [
      'a change',
      () => api.request('PATCH', '/api/user', { token: user.tokens.access_token, body: {} }),
    ],
  ];

  /** @param ready the expected status of readiness: instances stay ready if all of them are affected */
  const expectAll503 = async (ready = 503): Promise<void> => {
    await Promise.all(
      requests.map(async ([name, send]) => {
        const begin = performance.now();
        const answer = await send();
        const isQuick = performance.now() - begin < MAX_RESPONSE_MS;
        expect({ name, status: answer.status, isQuick }).toEqual({
          name,
          status: 503,
          isQuick: true,
        });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        const { code, error } = answer.body as { code?: string; error?: string };
        expect(['store-unavailable', 'not-confirmed', 'temporarily_unavailable']).toContain(
          code ?? error,
        );
      }),
    );
    expect((await api.request('GET', '/health/live')).status).toBe(200);
    expect((await api.request('GET', '/health/ready')).status).toBe(ready);
    expect((await api.request('GET', '/.well-known/jwks.json')).status).toBe(200);
  };
  const expectRecovery = async (): Promise<void> => {
    await eventually('the token works again', RECOVERY_MS, async () => {
      const { status } = await api.ownUser(user.tokens.access_token);
      expect([200, 503]).toContain(status);
      return status === 200;
    });
    expect((await api.login(user.username)).status).toBe(200);
  };

  describe('temporarily', () => {
    beforeAll(start);
    afterAll(stop);
    // Also after a failed test, because the others need the nodes.
    afterEach(() => redis.cluster.pids.forEach((_, port) => redis.signal(port, 'SIGCONT')));
    beforeEach(async () => {
      await redis.untilWhole();
      await eventually('the instance is ready', RECOVERY_MS, async () => {
        const { body } = await api.request('GET', '/health/ready');
        return body['status'] === 'ok';
      });
      await addUsers();
    });

    it('answers 503 within two seconds while every node is frozen, and recovers afterwards', async () => {
      const ports = [...redis.cluster.pids.keys()];
      ports.forEach((port) => redis.signal(port, 'SIGSTOP'));

      await expectAll503();
      await expectAll503();

      ports.forEach((port) => redis.signal(port, 'SIGCONT'));
      await expectRecovery();
    });

    it('recovers without a restart after all nodes were stopped and started', async () => {
      await redis.cluster.stop();
      await expectAll503();

      redis = await startOwnCluster({
        directory: redis.directory,
        firstPort: redis.cluster.addresses[0]!.port,
      });
      await expectRecovery();
    });

    it.each([
      ['wants a second replica for writes', 'min-replicas-to-write', '2', '0'],
      ['has no memory left', 'maxmemory', '1', '0'],
    ])('answers 503 while Redis is read-only because it %s', async (_, setting, broken, whole) => {
      const { body: ended } = await api.login(user.username);
      await api.request('POST', '/api/logout', { token: ended.access_token });
      const masters = await redis.masters();
      const configure = async (value: string): Promise<unknown> =>
        Promise.all(
          masters.map((port) => redis.cluster.call(port, 'CONFIG', 'SET', setting, value)),
        );

      await configure(broken);
      await eventually('memory is not trusted any more', 5000, async () => {
        expect([401, 503]).toContain((await api.ownUser(ended.access_token)).status);
        const { body } = await api.request('GET', '/health/ready');
        return (body['checks'] as { trustsMemory: boolean }).trustsMemory === false;
      });
      await expectAll503(200);
      expect([401, 503]).toContain((await api.ownUser(ended.access_token)).status);

      await configure(whole);
      await expectRecovery();
      expect((await api.ownUser(ended.access_token)).status).toBe(401);
    });

    it('reports no write as successful that no replica has confirmed', async () => {
      const replicas = await Promise.all(
        (await redis.masters()).map((port) => redis.replicaOf(port)),
      );
      replicas.forEach((port) => redis.signal(port, 'SIGSTOP'));

      const answer = await api.request('POST', '/api/logout', { token: user.tokens.access_token });
      expect(answer.status).toBe(503);

      replicas.forEach((port) => redis.signal(port, 'SIGCONT'));
      await eventually('the logout is confirmed, or was', RECOVERY_MS, async () => {
        const { status } = await api.request('POST', '/api/logout', {
          token: user.tokens.access_token,
        });
        expect([204, 401, 503]).toContain(status);
        return status !== 503;
      });
      expect((await api.ownUser(user.tokens.access_token)).status).toBe(401);
    });
  });

  describe('permanently', () => {
    beforeEach(async () => {
      await start();
      await addUsers();
    });
    afterEach(stop);

    it('answers 503 within two seconds when all three masters are killed', async () => {
      for (const master of await redis.masters()) {
        redis.signal(master, 'SIGKILL');
      }

      await expectAll503();
      await expectAll503();
      const { status, body: metrics } = await api.request<string>('GET', '/metrics');
      expect(status).toBe(200);
      expect(metrics).toMatch(/^keyslot_health_status\{status="not-ready"\} 1$/m);
      expect(metrics).toMatch(
        /^keyslot_guard_verdicts_total\{source="redis",verdict="unavailable"\} [1-9]/m,
      );
      expect(metrics).toMatch(/^keyslot_redis_call_errors_total\{.*error="no-answer"\} [1-9]/m);
    });

    it('fails only for data of a dead shard, until the shard returns', async () => {
      const users = [user, ...(await Promise.all(Array.from({ length: 12 }, () => api.newUser())))];
      const [master] = await redis.masters();
      const replica = await redis.replicaOf(master!);
      redis.signal(master!, 'SIGKILL');
      redis.signal(replica, 'SIGKILL');

      const answers = await Promise.all(
        users.map(({ tokens }) => api.ownUser(tokens.access_token)),
      );

      const statuses = answers.map((answer) => answer.status);
      expect(statuses).toContain(200);
      expect(statuses).toContain(503);
      expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    });
  });
});
