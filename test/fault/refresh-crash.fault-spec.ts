import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** Promise 2 of the fault tests, and requirement 36: the instance crashes while it exchanges a refresh token. */
describe('an instance that is killed between the exchange and the answer', () => {
  let redis: OwnCluster;
  let survivor: TestApp;
  let doomed: Instance;
  beforeAll(async () => {
    redis = await startOwnCluster();
    survivor = await startTestApp(redis.variables);
    doomed = await Instance.start({
      LOG_LEVEL: 'info',
      ...redis.variables,
      REDIS_KEY_PREFIX: survivor.keyPrefix,
    });
  });
  afterAll(async () => {
    signalAll([...redis.cluster.pids.keys()], 'SIGCONT');
    await doomed.kill();
    await survivor.close();
    await redis.remove();
  });

  const signalAll = (ports: number[], signal: NodeJS.Signals): void =>
    ports.forEach((port) => redis.signal(port, signal));

  it('lets the client retry during the grace period, with the same single successor', async () => {
    const { tokens: first } = await survivor.newUser();
    const tokens = (await doomed.refresh(first.refresh_token)).body;
    const masters = await redis.masters();
    const replicas = [...redis.cluster.pids.keys()].filter((port) => !masters.includes(port));
    const storedSession = async (): Promise<string> => {
      const pattern = `${survivor.keyPrefix}*:sessions`;
      for (const master of masters) {
        const key = await redis.cluster.call(master, 'KEYS', pattern);
        if (key !== '') {
          return redis.cluster.call(master, 'HGET', key, tokens.session_id);
        }
      }
      throw new Error('there is no session');
    };
    const before = await storedSession();

    // Without confirmation by a replica, the exchange is written but not answered.
    signalAll(replicas, 'SIGSTOP');
    const lost = doomed.refresh(tokens.refresh_token).catch(() => 'no answer');
    await eventually('the exchange is made', 1500, async () => (await storedSession()) !== before);
    const made = await storedSession();
    await doomed.kill();
    signalAll(replicas, 'SIGCONT');
    expect(await lost).toBe('no answer');

    const answers = [
      await survivor.refresh(tokens.refresh_token),
      await survivor.refresh(tokens.refresh_token),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    // It is the successor that the crashed instance created.
    expect(JSON.parse(await storedSession())).toEqual(JSON.parse(made));
    const { access_token, refresh_token } = answers[0]!.body;
    expect((await survivor.ownUser(access_token)).status).toBe(200);
    const next = await survivor.refresh(refresh_token);
    expect((await survivor.ownUser(next.body.access_token)).status).toBe(200);
  });
});
