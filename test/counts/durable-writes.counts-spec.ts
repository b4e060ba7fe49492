import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { Shards } from '../support/shards.js';
import { testSettings } from '../support/test-app.js';

const setScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], ARGV[1])`);
const COUNTED = ['evalsha', 'cluster|nodes'] as const;
type Counts = Record<(typeof COUNTED)[number], number>;

/** What the confirmation of a durable write costs Redis. */
describe('durable writes', () => {
  let own: OwnCluster;
  let redis: RedisCluster;
  let shards: Shards;
  let master: number;
  let others: readonly number[];
  let keys: string[];
  beforeAll(async () => {
    own = await startOwnCluster();
    redis = new RedisCluster(testSettings(own.variables).redis);
    shards = await Shards.of(own);
    [master, ...others] = shards.ports as [number, ...number[]];
    keys = Array.from({ length: 300 }, () => redis.keys.key(['test', randomUUID()], 'value'))
      .filter((key) => shards.ofKey(key) === master)
      .slice(0, 64);
  });
  afterAll(async () => {
    await redis.onApplicationShutdown();
    await own.remove();
  });

  const write = async (key: string): Promise<unknown> =>
    redis.runDurably(setScript, [key], ['x'], Deadline.none);
  const oneByOne = async (): Promise<void> => {
    for (const key of keys.slice(0, 10)) {
      await write(key);
    }
  };
  const allAtOnce = async (): Promise<unknown> => Promise.all(keys.map(write));
  const countsOf = async (port: number): Promise<Counts> => {
    const stats = await own.cluster.call(port, 'INFO', 'commandstats');
    const count = (name: string): number =>
      Number(new RegExp(`cmdstat_${name.replace('|', '\\|')}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    return Object.fromEntries(COUNTED.map((name) => [name, count(name)])) as Counts;
  };
  /** How often the master and one other master execute each command during the work. */
  const costOf = async (work: () => Promise<unknown>): Promise<[Counts, Counts]> => {
    const nodes = [master, others[0]!];
    const before = await Promise.all(nodes.map(countsOf));
    await work();
    const after = await Promise.all(nodes.map(countsOf));
    return after.map((counts, index) =>
      Object.fromEntries(COUNTED.map((name) => [name, counts[name] - before[index]![name]])),
    ) as [Counts, Counts];
  };

  it('need one command besides WAIT in a whole shard, for each batch', async () => {
    // The script is in the cache of the node, and the connection has confirmed a batch.
    await allAtOnce();

    expect(await costOf(oneByOne)).toEqual([
      { evalsha: 10, 'cluster|nodes': 10 },
      { evalsha: 0, 'cluster|nodes': 0 },
    ]);
    expect(await costOf(allAtOnce)).toEqual([
      { evalsha: 64, 'cluster|nodes': 1 },
      { evalsha: 0, 'cluster|nodes': 0 },
    ]);
  });

  it('ask each master once for each batch in a shard with one copy', async () => {
    own.signal(shards.nodesOf(master)[1]!, 'SIGKILL');
    await eventually('a write is confirmed', 10_000, async () =>
      write(keys[0]!).then(
        () => true,
        () => false,
      ),
    );

    expect(await costOf(oneByOne)).toEqual([
      { evalsha: 10, 'cluster|nodes': 20 },
      { evalsha: 0, 'cluster|nodes': 10 },
    ]);
    expect(await costOf(allAtOnce)).toEqual([
      { evalsha: 64, 'cluster|nodes': 2 },
      { evalsha: 0, 'cluster|nodes': 1 },
    ]);
  });
});
