import { Deadline } from '../../src/common/deadline/index.js';
import { RedisCluster, RedisUnavailableError } from '../../src/redis-cluster/index.js';
import { Resharding } from '../chaos/resharding.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const setScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], '')`);
const KEYS = 3000;
/** Each key is written three times and waits for a replica: a loaded machine must manage this many in one timeout. */
const KEYS_AT_ONCE = 25;
const MOVED_SLOTS = 80;

describe('a scan of all keys', () => {
  let own: OwnCluster;
  let redis: RedisCluster;
  let others: RedisCluster;
  let resharding: Resharding;
  let expected: string[];

  beforeAll(async () => {
    own = await startOwnCluster();
    resharding = new Resharding(own);
    redis = connect('a*[b]?');
    others = connect('aab?');
    const ids = Array.from({ length: KEYS }, (_, index) => `id-${index}`);
    for (let first = 0; first < KEYS; first += KEYS_AT_ONCE) {
      await Promise.all(
        ids
          .slice(first, first + KEYS_AT_ONCE)
          .flatMap((id) => [
            write(redis, keyOf(redis, id)),
            write(others, keyOf(others, id)),
            write(redis, redis.keys.key(['other', id], 'value')),
          ]),
      );
    }
    expected = ids.map((id) => keyOf(redis, id)).sort();
  });
  afterAll(async () => {
    // Otherwise they would connect to the next cluster on these ports.
    await Promise.all([redis, others].map((client) => client.onApplicationShutdown()));
    await own.remove();
  });

  const connect = (keyPrefix: string): RedisCluster => {
    const { addresses, password } = own.cluster;
    return new RedisCluster({
      nodes: addresses,
      username: own.administrator,
      password,
      keyPrefix,
    });
  };
  const write = async (client: RedisCluster, key: string): Promise<unknown> =>
    client.runDurably(setScript, [key], [], Deadline.none);
  const keyOf = (client: RedisCluster, id: string): string =>
    client.keys.key(['kind', id], 'value');
  const scan = async (): Promise<string[]> => {
    const pattern = redis.keys.patternFor('kind', 'value');
    return [...(await redis.scanKeys(pattern, Deadline.none))].sort();
  };

  it('finds the keys of one kind and prefix on all masters', async () => {
    expect(await scan()).toEqual(expected);
  });

  it('misses no key while slots are migrated', async () => {
    const [from, to] = await own.masters();
    const slots = await resharding.usedSlotsOf(from!, MOVED_SLOTS);
    let isMoving = true;
    const moving = (async () => {
      for (const slot of slots) {
        await resharding.move(slot, from!, to!);
      }
    })().finally(() => (isMoving = false));

    let scans = 0;
    while (isMoving) {
      expect(await scan()).toEqual(expected);
      scans += 1;
    }
    await moving;

    expect(scans).toBeGreaterThan(0);
    expect(await scan()).toEqual(expected);
  });

  it('waits for the end of a failover and misses no key', async () => {
    const [master] = await own.masters();
    const replica = await own.replicaOf(master!);
    own.signal(master!, 'SIGKILL');
    const found = scan();

    await eventually('the replica leads', 20_000, async () => {
      const info = await own.cluster.call(replica, 'INFO', 'replication');
      return info.includes('role:master');
    });
    expect(await found).toEqual(expected);
  });

  it('fails instead of returning only some of the keys', async () => {
    const pattern = redis.keys.patternFor('kind', 'value');
    const [port] = [...own.cluster.pids.keys()];
    own.signal(port!, 'SIGSTOP');

    const found = redis.scanKeys(pattern, Deadline.after(500));

    await expect(found).rejects.toThrow(RedisUnavailableError);
  });
});
