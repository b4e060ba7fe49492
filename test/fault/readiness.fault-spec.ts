import calculateSlot from 'cluster-key-slot';

import { parseClusterNodes } from '../../src/redis-cluster/index.js';
import { Resharding } from '../chaos/resharding.js';
import { Wire } from '../chaos/wire.js';
import type { Answer, TestUser } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const DETECTION_TIMEOUT_MS = 10_000;
const RECOVERY_MS = 15_000;
const MAX_RESPONSE_MS = 2000;
const LOG = calculateSlot('{near-cache.control}');

interface Ready {
  readonly code?: string;
  readonly status: string | number;
  readonly checks: {
    readonly redis: { readonly masters: number; readonly replicas: number } | null;
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
  const closing: (() => unknown)[] = [];
  beforeEach(async () => (redis = await startOwnCluster()));
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

  const masterOf = async (slot: number): Promise<number> => new Resharding(redis).masterOf(slot);
  const masterWithoutLog = async (): Promise<number> => {
    const withLog = await masterOf(LOG);
    return (await redis.masters()).find((port) => port !== withLog)!;
  };
  const userOn = async (api: TestApp, master: number): Promise<TestUser> => {
    const user = await api.newUser();
    const isThere = (await masterOf(calculateSlot(`{user.${user.id}}`))) === master;
    return isThere ? user : userOn(api, master);
  };
  /** Registers users until one has no data on the master. */
  const userElsewhere = async (api: TestApp, master: number): Promise<TestUser> => {
    const user = await api.newUser();
    const isElsewhere = (await masterOf(calculateSlot(`{user.${user.id}}`))) !== master;
    return isElsewhere ? user : userElsewhere(api, master);
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
    const cut = await masterWithoutLog();
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

  it.each([
    ['of users', masterWithoutLog, true],
    ['with the log of changes', async () => masterOf(LOG), false],
  ])(
    'succeeds with a dead shard %s, because no other instance has it either',
    async (_, chosen, trustsMemory) => {
      const api = await start();
      const master = await chosen();
      const replica = await redis.replicaOf(master);
      const user = await userElsewhere(api, master);

      [replica, master].forEach((port) => redis.signal(port, 'SIGKILL'));
      await untilAllNodesReportLoss([replica, master]);
      await eventually('the loss is seen', DETECTION_TIMEOUT_MS, async () => {
        const { checks } = (await readiness(api)).body;
        return checks.redis?.masters === 2 && checks.trustsMemory === trustsMemory;
      });

      for (let probe = 0; probe < 20; probe += 1) {
        const answer = await readiness(api);
        expect(answer.status).toBe(200);
        expect(answer.body).toMatchObject({
          status: 'degraded',
          checks: {
            redis: { isHealthy: false, masters: 2, unreachedMasters: 0 },
            trustsMemory,
          },
        });
      }
      expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
    },
  );

  it('succeeds while a replica is missing, but reports that writes of its shard cannot be confirmed', async () => {
    const api = await start();
    const user = await userOn(api, await masterWithoutLog());

    redis.signal(await redis.replicaOf(await masterWithoutLog()), 'SIGKILL');

    await eventually('the loss is told of', RECOVERY_MS, async () => {
      const { status, body } = await readiness(api);
      expect(status).toBe(200);
      return body.status === 'degraded' && body.checks.redis?.replicas === 2;
    });
    expect((await api.login(user.username)).status).toBe(503);
  });

  it('succeeds while the control log has no replica: no instance has a lease then', async () => {
    const api = await start();
    const replica = await redis.replicaOf(await masterOf(LOG));
    redis.signal(replica, 'SIGKILL');

    await untilAllNodesReportLoss([replica]);
    await eventually('it is known why memory is not trusted', DETECTION_TIMEOUT_MS, async () => {
      const { status, body } = await readiness(api);
      return status === 200 && !body.checks.trustsMemory;
    });

    for (let probe = 0; probe < 20; probe += 1) {
      const { status, body } = await readiness(api);
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: 'degraded', checks: { redis: { replicas: 2 } } });
    }
  });
});
