import { randomUUID } from 'node:crypto';

import { Clock } from '../../src/common/clock/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import {
  NotConfirmedError,
  parseClusterNodes,
  RedisCluster,
  RedisClusterHealth,
  RedisUnavailableError,
  type RedisClusterState,
} from '../../src/redis-cluster/index.js';
import type { ClusterLink } from '../../src/redis-cluster/cluster-link.js';
import { Resharding } from '../chaos/resharding.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

const setScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], ARGV[1])`);
const getScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('GET', KEYS[1])`);

describe('RedisCluster', () => {
  let own: OwnCluster;
  let redis: RedisCluster;

  beforeAll(async () => {
    own = await startOwnCluster();
    redis = new RedisCluster(testSettings(own.variables).redis);
    await redis.run(getScript, [key('warm-up')], [], Deadline.none);
  });
  afterAll(async () => {
    await redis.onApplicationShutdown();
    await own.remove();
  });

  const key = (id: string): string => redis.keys.key(['test', id], 'value');
  const value = async (id: string): Promise<unknown> =>
    redis.run(getScript, [key(id)], [], Deadline.none);

  it('writes durably on every master', async () => {
    const ids = Array.from({ length: 60 }, () => randomUUID());
    await Promise.all(ids.map((id) => redis.runDurably(setScript, [key(id)], [id], Deadline.none)));

    expect(await Promise.all(ids.map(value))).toEqual(ids);
  });

  it('throws programming errors unchanged', async () => {
    const sha1 = {
      get: () => {
        throw new TypeError('not a function');
      },
    };
    const broken = Object.create(getScript, { sha1 }) as typeof getScript;
    const mistake = new TypeError('not a function');

    await expect(redis.run(broken, [key('x')], [], Deadline.none)).rejects.toEqual(mistake);
    await expect(redis.runDurably(broken, [key('x')], [], Deadline.none)).rejects.toEqual(mistake);
  });

  it('sends the source of a script to a node that does not have it', async () => {
    for (const port of await own.masters()) {
      await own.cluster.call(port, 'SCRIPT', 'FLUSH');
    }

    await redis.runDurably(setScript, [key('forgotten')], ['x'], Deadline.none);

    expect(await value('forgotten')).toBe('x');
  });

  it('follows slots that moved in a failover during writes', async () => {
    const [master] = await own.masters();
    const replica = await own.replicaOf(master!);
    let isRunning = true;
    let writes = 0;
    const writers = Array.from({ length: 8 }, async () => {
      while (isRunning) {
        const id = randomUUID();
        await redis.runDurably(setScript, [key(id)], [id], Deadline.none);
        expect(await value(id)).toBe(id);
        writes += 1;
      }
    });

    await own.cluster.call(replica, 'CLUSTER', 'FAILOVER');
    await eventually('the replica leads', 10_000, async () =>
      (await own.masters()).includes(replica),
    );
    const then = writes;
    await eventually('more is written', 10_000, () => Promise.resolve(writes > then + 100));
    isRunning = false;
    await Promise.all(writers);
  });

  /** Ids whose keys are on the master. */
  const idsOn = async (master: number, count: number): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) {
      const id = randomUUID();
      const stays = await own.cluster.call(master, 'EXISTS', key(id)).then(
        () => true,
        () => false,
      );
      if (stays) {
        ids.push(id);
      }
    }
    return ids;
  };

  it('finds a key in a migrating slot, on the old node or on the new one', async () => {
    const resharding = new Resharding(own);
    const [from, to] = (await own.masters()) as [number, number];
    const [id] = await idsOn(from, 1);
    const slot = await resharding.slotOf(`test.${id}`);
    await redis.runDurably(setScript, [key(id!)], ['before'], Deadline.none);

    await resharding.beginMove(slot, from, to);
    expect(await value(id!)).toBe('before');
    // Other keys of the same slot do not exist on the old node, so the new node owns them.
    const otherKey = redis.keys.key(['test', id!], 'other');
    await redis.runDurably(setScript, [otherKey], ['during'], Deadline.none);
    expect(await redis.run(getScript, [otherKey], [], Deadline.none)).toBe('during');
    expect(await own.cluster.call(from, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe('1');
    expect(await own.cluster.call(to, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe('1');
    await resharding.finishMove(slot, from, to);

    expect(await value(id!)).toBe('before');
    expect(await redis.run(getScript, [otherKey], [], Deadline.none)).toBe('during');
  });

  it('reports no write as successful and no read as valid that no replica has confirmed', async () => {
    const [master] = await own.masters();
    const [id] = await idsOn(master!, 1);
    const replica = await own.replicaOf(master!);
    own.signal(replica, 'SIGSTOP');

    const [written, read]: unknown[] = await Promise.all(
      [
        redis.runDurably(setScript, [key(id!)], ['x'], Deadline.none),
        redis.readConfirmed(setScript, [key(id!)], ['x'], Deadline.none),
      ].map(async (result) => result.catch((error: unknown) => error)),
    );
    own.signal(replica, 'SIGCONT');

    expect(written).toBeInstanceOf(NotConfirmedError);
    // For its caller, the look-up got no response.
    expect(read).toBeInstanceOf(RedisUnavailableError);
  });

  it('reads from a master with a frozen replica, with any number of waiting writes', async () => {
    const [master] = await own.masters();
    const ids = await idsOn(master!, 40);
    await Promise.all(ids.map((id) => redis.runDurably(setScript, [key(id)], [id], Deadline.none)));
    const replica = await own.replicaOf(master!);
    own.signal(replica, 'SIGSTOP');

    const writes = Promise.allSettled(
      ids.flatMap((id) =>
        Array.from({ length: 25 }, () =>
          redis.runDurably(setScript, [key(id)], [id], Deadline.none),
        ),
      ),
    );
    let areOver = false;
    void writes.then(() => (areOver = true));
    const some = ids.slice(0, 5);
    let roundsMeanwhile = 0;
    while (!areOver) {
      expect(await Promise.all(some.map(value))).toEqual(some);
      roundsMeanwhile += 1;
    }
    const results = await writes;
    own.signal(replica, 'SIGCONT');

    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    // The timeout of 1.5 s allows five WAITs of 0.3 s. Reads queued behind them would run once after each.
    expect(roundsMeanwhile).toBeGreaterThan(10);
    await eventually('it writes again', 10_000, async () =>
      redis.runDurably(setScript, [key(ids[0]!)], ['x'], Deadline.none).then(
        () => true,
        () => false,
      ),
    );
  });

  it('throws "not confirmed" within its timeout for the shard with a silent replica, and only there', async () => {
    const [master] = await own.masters();
    const replica = await own.replicaOf(master!);
    own.signal(replica, 'SIGSTOP');
    const ids = Array.from({ length: 30 }, () => randomUUID());

    const begin = performance.now();
    const results = await Promise.allSettled(
      ids.map((id) => redis.runDurably(setScript, [key(id)], [id], Deadline.none)),
    );
    const durationMs = performance.now() - begin;
    own.signal(replica, 'SIGCONT');

    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason] : [],
    );
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.length).toBeLessThan(ids.length);
    expect(reasons.every((reason) => reason instanceof NotConfirmedError)).toBe(true);
    expect(durationMs).toBeLessThan(2000);
    await eventually('it writes again', 10_000, async () =>
      Promise.all(
        ids.map((id) => redis.runDurably(setScript, [key(id)], [id], Deadline.none)),
      ).then(
        () => true,
        () => false,
      ),
    );
  });

  it('does not retry after a permanent error, and names the script', async () => {
    const broken = luaScript(`-- KEYS[1] a key\nreturn redis.call('HGET', KEYS[1], 'x')`);
    await redis.runDurably(setScript, [key('text')], ['x'], Deadline.none);

    await expect(redis.runDurably(broken, [key('text')], [], Deadline.none)).rejects.toThrow(
      /^a script of a test failed: WRONGTYPE/,
    );
    await expect(redis.run(getScript, [], [], Deadline.none)).rejects.toThrow(
      'takes 1 keys, not 0',
    );
  });

  it('corrects its slot map whenever a node with an old view of the cluster has answered', async () => {
    await own.untilWhole();
    const { link } = redis as unknown as { link: ClusterLink };
    // A master reports a replica only when it has heard of its first write.
    await eventually('it knows every node', 20_000, () =>
      Promise.resolve(link.nodes().length === 6),
    );
    const { slots } = link.client;
    const current = [...slots];
    const formerMaster = current.find(([master]) => master !== current[0]![0])!;

    for (let time = 0; time < 2; time += 1) {
      slots.fill(formerMaster);
      await eventually('the slot map is right again', 10_000, () =>
        Promise.resolve(slots.every(([master], slot) => master === current[slot]![0])),
      );
    }
  });

  it('counts masters and replicas', async () => {
    const health = new RedisClusterHealth(redis, new Clock());
    const state = async (): Promise<RedisClusterState> => (await health.check()).state;
    await eventually('the cluster is whole', 10_000, async () => (await state()).isHealthy);
    expect(await state()).toEqual({
      isHealthy: true,
      masters: 3,
      unreachedMasters: 0,
      replicas: 3,
      singleCopyShards: [],
      uncoveredSlots: 0,
    });
  });

  describe('with a replica that is lost for good', () => {
    let master: number;
    let others: number[];
    let replica: number;
    let ids: string[];
    beforeAll(async () => {
      [master, ...others] = (await own.masters()) as [number, number, number];
      replica = await own.replicaOf(master);
      ids = await idsOn(master, 40);
      own.signal(replica, 'SIGKILL');
    });

    const singleCopyWrites = (): number =>
      redis.calls.singleCopyWrites.reduce((sum, [, count]) => sum + count, 0);
    const isFailed = async (): Promise<boolean> => {
      const view = parseClusterNodes(await own.cluster.call(master, 'CLUSTER', 'NODES'));
      return view.some((node) => node.port === replica && node.isFailed);
    };
    const write = async (client: RedisCluster, id: string): Promise<unknown> =>
      client.runDurably(setScript, [key(id)], [id], Deadline.none);

    it('confirms nothing before the masters agree that it is lost, and everything afterwards', async () => {
      let wasFailed = false;
      await eventually('a write is confirmed', 10_000, async () => {
        wasFailed ||= await isFailed();
        const isConfirmed = await write(redis, ids[0]!).then(
          () => true,
          () => false,
        );
        expect(isConfirmed && !(wasFailed || (await isFailed()))).toBe(false);
        return isConfirmed;
      });
      const before = singleCopyWrites();

      await Promise.all(ids.map(async (id) => write(redis, id)));

      expect(await Promise.all(ids.map(value))).toEqual(ids);
      expect(await redis.readConfirmed(setScript, [key(ids[0]!)], ['x'], Deadline.none)).toBe('OK');
      expect(singleCopyWrites() - before).toBe(ids.length + 1);
    });

    it('confirms nothing if a replica is required', async () => {
      const variables = { ...own.variables, REDIS_REQUIRE_REPLICA: 'true' };
      const strict = new RedisCluster(testSettings(variables).redis);

      await expect(write(strict, ids[0]!)).rejects.toThrow(NotConfirmedError);
      await strict.onApplicationShutdown();
    });

    it('confirms nothing while this master alone says that the replica is lost', async () => {
      others.forEach((port) => own.signal(port, 'SIGSTOP'));

      await expect(write(redis, ids[0]!)).rejects.toThrow(NotConfirmedError);

      others.forEach((port) => own.signal(port, 'SIGCONT'));
      await eventually('it writes again', 10_000, async () =>
        write(redis, ids[0]!).then(
          () => true,
          () => false,
        ),
      );
    });

    it('is reported, until it is back', async () => {
      const health = new RedisClusterHealth(redis, new Clock());
      const { singleCopyShards, replicas } = (await health.check()).state;

      expect(replicas).toBe(2);
      expect(singleCopyShards).toMatchObject([{ master: `127.0.0.1:${master}` }]);
    });

    it('is reported with the slots of the shard when its master is lost as well', async () => {
      const health = new RedisClusterHealth(redis, new Clock());

      own.signal(master, 'SIGKILL');

      await eventually('the loss is seen', 10_000, async () => {
        const { masters, uncoveredSlots, isHealthy } = (await health.check()).state;
        return masters === 2 && uncoveredSlots > 5000 && !isHealthy;
      });
    });
  });
});
