import { Cluster, type Redis } from 'ioredis';

/** Connects to the test cluster as administrator. The caller must disconnect. */
export async function connectRedis(): Promise<Cluster> {
  const cluster = new Cluster(
    (process.env['TEST_REDIS_NODES'] ?? '').split(',').map((node) => {
      const [host, port] = node.split(':');
      return { host: host!, port: Number(port) };
    }),
    {
      redisOptions: {
        username: process.env['TEST_REDIS_ADMIN_USERNAME'] ?? '',
        password: process.env['TEST_REDIS_ADMIN_PASSWORD'] ?? '',
      },
    },
  );
  await new Promise((resolve) => cluster.once('ready', resolve));
  return cluster;
}

/** Runs the work with a direct connection to the test cluster. */
export async function withRedis<T>(
  work: (masters: Redis[], cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await connectRedis();
  try {
    return await work(cluster.nodes('master'), cluster);
  } finally {
    cluster.disconnect();
  }
}

/** The keys with the prefix, node by node. */
export async function keysByMaster(prefix: string): Promise<string[][]> {
  return withRedis((masters) => scan(masters, prefix));
}

async function scan(masters: Redis[], prefix: string): Promise<string[][]> {
  return Promise.all(
    masters.map(async (master) => {
      const found = new Set<string>();
      for await (const batch of master.scanStream({ match: `${prefix}*`, count: 500 })) {
        (batch as string[]).forEach((key) => found.add(key));
      }
      return [...found];
    }),
  );
}

/** All keys and values under the prefix. */
export async function dumpKeys(prefix: string): Promise<{ keys: string[]; values: unknown[] }> {
  return withRedis((_, cluster) => dumpFrom(cluster, prefix));
}

export async function dumpFrom(
  cluster: Cluster,
  prefix: string,
): Promise<{ keys: string[]; values: unknown[] }> {
  const keys = (await scan(cluster.nodes('master'), prefix)).flat();
  const values = await Promise.all(keys.map((key) => read(cluster, key)));
  return { keys, values };
}

async function read(cluster: Cluster, key: string): Promise<unknown> {
  switch (await cluster.type(key)) {
    case 'hash':
      return cluster.hgetall(key);
    case 'zset':
      return cluster.zrange(key, '0', '-1');
    default:
      return cluster.get(key);
  }
}
