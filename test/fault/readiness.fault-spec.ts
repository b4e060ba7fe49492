import { NearCache } from '../../src/near-cache/index.js';
import { parseClusterNodes, type SingleCopyShard } from '../../src/redis-cluster/index.js';
import { Wire } from '../chaos/wire.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { Shards, slotOf, slotsOfUser } from '../support/shards.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const DETECTION_TIMEOUT_MS = 10_000;
const RECOVERY_MS = 15_000;
const MAX_RESPONSE_MS = 2000;

interface Ready {
  readonly code?: string;
  readonly status: string | number;
  readonly checks: {
    readonly redis: {
      readonly masters: number;
      readonly singleCopyShards: readonly [SingleCopyShard];
    } | null;
    readonly trustsMemory: boolean;
  };
}

async function readiness(api: TestApp): Promise<Answer<Ready>> {
  const begin = performance.now();
  const answer = await api.request<Ready>('GET', '/health/ready');
  expect(performance.now() - begin).toBeLessThan(MAX_RESPONSE_MS);
  return answer;
}

/** Readiness controls a load balancer, so it must distinguish problems of the instance from problems of all instances. */
describe('readiness', () => {
  let redis: OwnCluster;
  let shards: Shards;
  const closing: (() => unknown)[] = [];
  beforeEach(async () => {
    redis = await startOwnCluster();
    shards = await Shards.of(redis);
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) {
      await close();
    }
    await redis.remove();
  });

  const start = async (variables: Record<string, string> = {}): Promise<TestApp> => {
    const api = await startTestApp({ ...redis.variables, ...variables });
    closing.unshift(() => api.close());
    return api;
  };

  const inboxMasterOf = ({ app }: TestApp): number =>
    shards.ofKey(app.get(NearCache, { strict: false }).leaseKey);
  const masterWithoutInboxOf = (api: TestApp): number =>
    shards.ports.find((port) => port !== inboxMasterOf(api))!;
  /** A user without data in the shard. */
  const newUser = async (api: TestApp, master: number): Promise<TestUser> => {
    const user = await api.newUser();
    return shards.has(master, slotsOfUser(user.username, user.id)) ? newUser(api, master) : user;
  };

  /** A user whose record and sessions are in the shard. */
  const userIn = async (api: TestApp, master: number): Promise<TestUser> => {
    const user = await api.newUser();
    return shards.has(master, [slotOf(`user.${user.id}`)]) ? user : userIn(api, master);
  };

  /** Waits until all nodes agree on the loss. Before that, the result depends on the queried node. */
  const untilAllNodesReportLoss = async (lost: readonly number[]): Promise<number> =>
    eventually('every node reports the loss', DETECTION_TIMEOUT_MS, async () => {
      const living = [...redis.cluster.pids.keys()].filter((port) => !lost.includes(port));
      const views = await Promise.all(
        living.map(async (port) => redis.cluster.call(port, 'CLUSTER', 'NODES')),
      );
      return views.every((view) => {
        const failed = parseClusterNodes(view).filter(({ isFailed }) => isFailed);
        return lost.every((port) => failed.some((node) => node.port === port));
      });
    });

  it('fails on an instance that cannot reach a master, and only there', async () => {
    const wire = await Wire.to(redis.cluster.addresses);
    closing.push(() => wire.close());
    const api = await start({ REDIS_NODES: wire.addresses });
    const other = await start();
    const cut = masterWithoutInboxOf(api);
    expect((await readiness(api)).status).toBe(200);

    wire.cut('both', cut);

    for (let probe = 0; probe < 4; probe += 1) {
      const answer = await readiness(api);
      expect(answer.status).toBe(503);
      expect(answer.body).toMatchObject({
        code: 'not-ready',
        checks: { redis: { isHealthy: true, masters: 3, unreachedMasters: 1 } },
      });
      expect((await readiness(other)).body).toMatchObject({ status: 'ok' });
    }

    wire.restore();
    await eventually('it is ready', RECOVERY_MS, async () => (await readiness(api)).status === 200);
  });

  /** Other instances have the same problem. A load balancer must not take all of them out. */
  const expectDegraded = async (api: TestApp, redisState: object): Promise<void> => {
    for (let probe = 0; probe < 20; probe += 1) {
      const answer = await readiness(api);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        status: 'degraded',
        checks: { redis: redisState, trustsMemory: true },
      });
    }
  };
  const untilTrusted = async (api: TestApp, masters: number): Promise<number> =>
    eventually('the loss is seen, and memory is trusted', DETECTION_TIMEOUT_MS, async () => {
      const { checks } = (await readiness(api)).body;
      return checks.redis?.masters === masters && checks.trustsMemory;
    });

  it.each<[string, (api: TestApp) => number]>([
    ['of users', masterWithoutInboxOf],
    ['with its inbox', inboxMasterOf],
  ])(
    'succeeds with a dead shard %s, because no other instance has it either',
    async (_, chosen) => {
      const api = await start();
      const master = chosen(api);
      const user = await newUser(api, master);
      const lost = shards.nodesOf(master);

      lost.forEach((port) => redis.signal(port, 'SIGKILL'));
      await untilAllNodesReportLoss(lost);
      await untilTrusted(api, 2);

      await expectDegraded(api, { isHealthy: false, masters: 2, unreachedMasters: 0 });
      expect(inboxMasterOf(api)).not.toBe(master);
      expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
    },
  );

  it.each<[string, (api: TestApp) => number]>([
    ['of users', masterWithoutInboxOf],
    ['with its inbox', inboxMasterOf],
  ])('succeeds while a shard %s has one copy, and names the shard', async (_, chosen) => {
    const api = await start();
    const strict = await start({ REDIS_REQUIRE_REPLICA: 'true' });
    const master = chosen(api);
    const [user, other] = [await userIn(api, master), await userIn(strict, master)];
    const replica = shards.nodesOf(master)[1]!;
    const lostAt = Date.now();

    redis.signal(replica, 'SIGKILL');

    await untilAllNodesReportLoss([replica]);
    await untilTrusted(api, 3);
    await expectDegraded(api, {
      isHealthy: true,
      masters: 3,
      replicas: 2,
      singleCopyShards: [{ master: `127.0.0.1:${master}` }],
    });
    const [{ slots, since, risk }] = (await readiness(api)).body.checks.redis!.singleCopyShards;
    expect(slots).toBeGreaterThan(5000);
    expect(Math.abs(Date.parse(since) - lostAt)).toBeLessThan(DETECTION_TIMEOUT_MS);
    expect(risk).toContain(`If 127.0.0.1:${master} is lost too`);
    expect((await api.login(user.username)).status).toBe(200);
    expect((await strict.login(other.username)).status).toBe(503);
  });
});
