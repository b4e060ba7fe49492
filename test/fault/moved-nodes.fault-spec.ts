import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import type { ResolveHost } from '../../src/redis-cluster/redis-cluster.options.js';
import { HttpClient, type TestUser } from '../support/http-client.js';
import { MovingCluster } from '../support/moving-cluster.js';
import { eventually } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

/** Measured from the moment when the cluster itself is healthy again. */
const RECOVERY_TIMEOUT_MS = 10_000;
/** When nodes move one after the other, each waits for a failover. */
const TEST_TIMEOUT_MS = 240_000;
const ALL = [0, 1, 2, 3, 4, 5];

interface TestInstance extends HttpClient {
  close(): Promise<void>;
}

/** In Kubernetes every restart gives a node a new address. Instances must follow without a restart. */
describe('nodes that move to other addresses (98)', () => {
  let cluster: MovingCluster;
  const open: TestInstance[] = [];
  beforeAll(async () => (cluster = await MovingCluster.start()));
  afterEach(async () => {
    await Promise.all(open.splice(0).map(async (instance) => instance.close()));
  });
  afterAll(async () => cluster.remove());

  const resolveHost: ResolveHost = async (host) => {
    if (host === 'redis.test') {
      return Promise.resolve(cluster.hosts);
    }
    throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  };
  const start = async (nodes: string): Promise<TestInstance> => {
    const settings = testSettings({
      REDIS_NODES: nodes,
      REDIS_USERNAME: '',
      REDIS_PASSWORD: '',
      RATE_LIMIT: 'off',
    });
    const app = await createApp({
      ...settings,
      redis: { ...settings.redis, resolveHost } as never,
    });
    await app.listen(0, '127.0.0.1');
    await untilReady(app);
    const close = async (): Promise<void> => app.close();
    const instance = Object.assign(new HttpClient(await app.getUrl()), { close });
    open.push(instance);
    return instance;
  };
  const byName = (): string => `gone.test:${cluster.port},redis.test:${cluster.port}`;
  const statusOf = async (api: HttpClient, user: TestUser): Promise<number> =>
    (await api.ownUser(user.tokens.access_token)).status;

  /** Users of all shards are served, changes are confirmed, and what was revoked stays revoked. */
  const expectRecovered = async (
    api: HttpClient,
    users: readonly TestUser[],
    revoked: readonly TestUser[],
  ): Promise<void> => {
    await eventually('the instance is ready', RECOVERY_TIMEOUT_MS, async () => {
      expect(await Promise.all(revoked.map((user) => statusOf(api, user)))).not.toContain(200);
      return (await api.request('GET', '/health/ready')).body['status'] === 'ok';
    });
    expect(await Promise.all(users.map((user) => statusOf(api, user)))).toEqual(
      users.map(() => 200),
    );
    expect(await Promise.all(revoked.map((user) => statusOf(api, user)))).toEqual(
      revoked.map(() => 401),
    );
    const logins = await Promise.all(users.map(({ username }) => api.login(username)));
    expect(logins.map(({ status }) => status)).toEqual(users.map(() => 200));
  };
  const newUsers = async (api: HttpClient, count: number): Promise<TestUser[]> =>
    Promise.all(Array.from({ length: count }, async () => api.newUser()));
  const logOut = async (api: HttpClient, users: readonly TestUser[]): Promise<void> => {
    for (const { tokens } of users) {
      expect(
        (await api.request('POST', '/api/logout', { token: tokens.access_token })).status,
      ).toBe(204);
    }
  };
  const oneByOne = async (nodes: readonly number[], place: number): Promise<void> => {
    for (const node of nodes) {
      await cluster.move([node], place);
      await cluster.untilWhole();
    }
  };
  const mastersFirst = async (): Promise<number[]> => {
    const masters = await cluster.masters();
    return [...masters, ...ALL.filter((node) => !masters.includes(node))];
  };

  it.each<[string, () => Promise<void>]>([
    ['all at once', async () => cluster.move(ALL, 2)],
    ['all at once, twice', async () => (await cluster.move(ALL, 3), cluster.move(ALL, 4))],
    ['away and back again', async () => (await cluster.move(ALL, 5), cluster.move(ALL, 4))],
    ['the masters first', async () => oneByOne(await mastersFirst(), 6)],
    ['one after the other', async () => oneByOne(ALL, 7)],
  ])(
    'are followed by an instance that nobody asks meanwhile: %s',
    async (_, move) => {
      const api = await start(byName());
      const revoked = await newUsers(api, 6);
      const users = await newUsers(api, 6);
      await logOut(api, revoked);

      await move();
      await cluster.untilWhole();

      await expectRecovered(api, users, revoked);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are followed under load, and no revoked token is accepted',
    async () => {
      const [api, other] = [await start(byName()), await start(byName())];
      const users = await newUsers(api, 6);
      const revoked = await newUsers(api, 6);
      const isRevoked = new Set<TestUser>();
      let isOver = false;
      const accepted: TestUser[] = [];
      const load = Array.from({ length: 8 }, async (_, index) => {
        while (!isOver) {
          const user = revoked[index % revoked.length]!;
          const wasRevoked = isRevoked.has(user);
          const statuses = [await statusOf(api, user), await statusOf(other, user)];
          if (wasRevoked && statuses.includes(200)) {
            accepted.push(user);
          }
        }
      });

      const moving = cluster.move(ALL, 8);
      for (const user of revoked) {
        const token = user.tokens.access_token;
        await eventually('the logout is confirmed', 60_000, async () => {
          const { status } = await api.request('POST', '/api/logout', { token });
          // After a 503, the change may have been made.
          return [204, 401].includes(status);
        });
        isRevoked.add(user);
      }
      await moving;
      await cluster.untilWhole();
      await expectRecovered(api, users, revoked);
      await expectRecovered(other, users, revoked);
      isOver = true;
      await Promise.all(load);

      expect(accepted).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are found again when most of the configured addresses no longer exist',
    async () => {
      const place = 9;
      const dead = ['127.0.200.1', '127.0.200.2', '127.0.200.3'];
      const living = `127.0.${place}.1`;
      await cluster.move(ALL, place);
      await cluster.untilWhole();
      const seeds = [...dead, living].map((host) => `${host}:${cluster.port}`).join();
      const api = await start(seeds);
      const users = await newUsers(api, 6);

      await cluster.move(ALL, place + 1);
      await cluster.untilWhole();
      // Neither the three old addresses nor the remaining node help.
      await eventually('it is known that no node is there', RECOVERY_TIMEOUT_MS, async () => {
        return (await api.request('GET', '/health/ready')).status === 503;
      });
      await cluster.move(ALL, place);
      await cluster.untilWhole();

      await expectRecovered(api, users, []);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are followed even if an isolated node still answers with the old addresses',
    async () => {
      const api = await start(byName());
      const masters = await cluster.masters();
      const [leftBehind] = ALL.filter((node) => !masters.includes(node)) as [number];

      await cluster.moveWithout(leftBehind, 11);

      await eventually('the instance reaches the three masters', RECOVERY_TIMEOUT_MS, async () => {
        const { redis } = (await api.request('GET', '/health/ready')).body['checks'] as {
          redis: Record<string, unknown> | null;
        };
        return redis?.['isHealthy'] === true && redis['unreachedMasters'] === 0;
      });
      // The node reports that the cluster is down, and lists masters at unused addresses.
      expect(await cluster.ask(leftBehind, 'CLUSTER', 'INFO')).toContain('cluster_state:fail');
    },
    TEST_TIMEOUT_MS,
  );
});
