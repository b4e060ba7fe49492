import { AuditLog } from '../../src/audit/index.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** What one type of event gets of the queue. */
const QUEUE = 5000;
const MAX_RESPONSE_MS = 500;
const RECOVERY_MS = 60_000;
const TYPE = 'orders.shipped';

/** Requests do not wait for the trail, and the trail catches up without help. */
describe('the audit trail', () => {
  let redis: OwnCluster;
  let api: TestApp;
  let user: TestUser;
  beforeEach(async () => {
    redis = await startOwnCluster();
    const variables = { ...redis.variables, ...WITH_ADMINISTRATOR, RATE_LIMIT: 'off' };
    // A long lease: what the instance remembers stays valid while Redis is away.
    api = await startTestApp({ ...variables, NEAR_CACHE_LEASE: '60s' });
    user = await api.newUser();
    expect((await forbidden()).status).toBe(403);
  });
  afterEach(async () => {
    await api.close();
    await redis.remove();
  });

  /** A request that is refused from memory, and recorded. */
  const forbidden = async (): Promise<Answer> =>
    api.request('GET', '/api/users', { token: user.tokens.access_token });
  const record = (count: number): void => {
    for (let number = 0; number < count; number += 1) {
      api.app.get(AuditLog).record({ type: TYPE, details: { number } });
    }
  };
  const metric = async (series: string): Promise<number> => {
    const text = await api.app.get(MetricsRegistry, { strict: false }).metrics();
    const line = text.split('\n').find((one) => one.startsWith(`keyslot_audit_trail_${series} `));
    return Number(line?.split(' ')[1]);
  };
  const recorded = async (): Promise<number> => metric('events_total{outcome="recorded"}');
  const dropped = async (): Promise<number> => metric('events_total{outcome="dropped"}');
  const limited = async (): Promise<number> => metric('events_total{outcome="limited"}');
  const untilEmpty = async (): Promise<void> => {
    await eventually(
      'the queue is empty',
      RECOVERY_MS,
      async () => (await metric('queue_events')) === 0,
    );
  };
  const newest = async (): Promise<unknown[]> => {
    const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const options = { token: body.access_token };
    const page = await api.request('GET', `/api/audit?type=${TYPE}&limit=1`, options);
    expect(page.status).toBe(200);
    return page.body['items'] as unknown[];
  };
  const signal = (name: NodeJS.Signals, ports = [...redis.cluster.pids.keys()]): void =>
    ports.forEach((port) => redis.signal(port, name));

  it('delays no request while Redis is away, drops and counts what its queue cannot hold, and catches up', async () => {
    await untilEmpty();
    const before = await recorded();
    signal('SIGSTOP');
    record(QUEUE + 500);

    for (let count = 0; count < 50; count += 1) {
      const begin = performance.now();
      expect((await forbidden()).status).toBe(403);
      expect(performance.now() - begin).toBeLessThan(MAX_RESPONSE_MS);
    }
    expect(await dropped()).toBe(500);
    const refusals = 50 - (await limited());
    expect(refusals).toBeGreaterThan(0);
    expect(await metric('queue_events')).toBe(QUEUE + refusals);
    expect(await recorded()).toBe(before);

    signal('SIGCONT');
    await untilEmpty();
    expect(await recorded()).toBe(before + QUEUE + refusals);
    record(1);
    await untilEmpty();
    expect(await dropped()).toBe(500);
    expect(await newest()).toEqual([expect.objectContaining({ details: { number: 0 } })]);
  });

  it('loses no event of its queue when a master is lost for good', async () => {
    await untilEmpty();
    const before = await recorded();
    const [master] = await redis.masters();
    redis.signal(master!, 'SIGKILL');

    for (let round = 0; round < 20; round += 1) {
      record(100);
      await new Promise(setImmediate);
    }
    await untilEmpty();

    expect((await recorded()) - before).toBe(2000);
    expect(await dropped()).toBe(0);
  });

  it('goes on in the other shards while one is away', async () => {
    await untilEmpty();
    const before = await recorded();
    const [master] = await redis.masters();
    const shard = [master!, await redis.replicaOf(master!)];
    signal('SIGSTOP', shard);

    // Each batch goes to a shard at random.
    let count = 0;
    await eventually('events are recorded in other shards', RECOVERY_MS, async () => {
      record(1);
      count += 1;
      return (await recorded()) > before + 20;
    });

    signal('SIGCONT', shard);
    await untilEmpty();
    expect((await recorded()) - before).toBe(count);
    expect(await dropped()).toBe(0);
  });
});
