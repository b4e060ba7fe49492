import { Acknowledgements } from '../support/acknowledgements.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { connectCluster } from '../support/redis.js';
import { changedKeys, StoredState, type Snapshot } from '../support/stored-state.js';
import { Production } from './production.js';

const ROUND_MS = 180_000;
/** Longer than a restarted master needs to join the cluster again. */
const FILE_WRITE_MS = 5000;

/** With the redis.conf and the users of docker/. */
describe('a restart of the Redis nodes', () => {
  let production: Production;
  let acknowledgements: Acknowledgements;
  beforeAll(async () => {
    production = await Production.startRedisAndInstances({
      ...WITH_ADMINISTRATOR,
      RATE_LIMIT: 'off',
    });
    const [api] = production.instances;
    acknowledgements = await Acknowledgements.by(api!, WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
  }, ROUND_MS);
  afterAll(async () => {
    await production?.stop();
  });

  const look = async (): Promise<{ values: Snapshot; expiries: Snapshot }> => {
    // A new connection, because a client knows only some of the masters again just after their restart.
    const administrator = await connectCluster(
      production.redisPorts.map((port) => ({ host: '127.0.0.1', port })),
      production.administrator,
    );
    try {
      const stored = StoredState.on(administrator, 'ks:');
      const values = await stored.snapshot();
      return { values, expiries: await stored.expiries(values) };
    } finally {
      administrator.disconnect();
    }
  };

  it.each([
    ['all together, by kill -9, before any rewrite', 'together', 'SIGKILL', 'no rewrite'],
    ['each in turn, by SIGTERM', 'in turn', 'SIGTERM', 'rewrite'],
  ] as const)(
    'loses no acknowledged change: %s',
    async (name, order, signal, rewrite) => {
      const [first, second] = production.instances;
      await acknowledgements.add(first!, `${name}, before the rewrite`);
      if (rewrite === 'rewrite') {
        await production.rewriteAppendOnlyFiles();
      }
      await acknowledgements.add(second!, `${name}, after the rewrite`);
      const before = await look();

      // A replica then restarts while it writes to its disk what it has copied from its restarted master.
      await production.slowDownFileWrites(FILE_WRITE_MS);
      const shards = await production.shards();
      // Each master, directly followed by its replicas.
      const ports = shards.flatMap(({ master, replicas }) => [master, ...replicas]);
      for (const some of order === 'together' ? [ports] : ports.map((port) => [port])) {
        await production.restartNodes(some, signal);
      }

      const after = await look();
      expect(changedKeys(before.values, after.values)).toEqual([]);
      expect(changedKeys(before.expiries, after.expiries)).toEqual([]);
      // Its cache would hide a lost change.
      await first!.kill();
      await first!.restart();
      expect(await acknowledgements.lostChanges(first!)).toEqual([]);
    },
    ROUND_MS,
  );

  it('keeps refusing connections without authentication, and the user "default" keeps its rights (94)', async () => {
    const attempts = [
      ['get', 'x'],
      ['auth', ''],
      ['auth', 'default', ''],
      ['auth', 'default', 'guess'],
      ['hello', '3', 'auth', 'default', ''],
    ];
    for (const port of production.redisPorts) {
      for (const attempt of attempts) {
        expect(await production.redis(port, undefined, ...attempt)).toMatch(/NOAUTH|WRONGPASS/);
      }
    }
  });
});
