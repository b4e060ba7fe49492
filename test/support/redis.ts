import { Cluster, type Redis } from 'ioredis';

import { within } from './within.js';

const CONNECT_TIMEOUT_MS = 20_000;
const SLOTS = 16_384;

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly tls?: { readonly ca: string };
}

/** Connects to the test cluster as administrator. The caller must disconnect. */
export async function connectRedis(): Promise<Cluster> {
  const nodes = (process.env['TEST_REDIS_NODES'] ?? '').split(',').map((node) => {
    const [host, port] = node.split(':');
    return { host: host!, port: Number(port) };
  });
  return connectCluster(nodes, {
    username: process.env['TEST_REDIS_ADMIN_USERNAME'] ?? '',
    password: process.env['TEST_REDIS_ADMIN_PASSWORD'] ?? '',
  });
}

/** Connects to a cluster. The caller must disconnect. */
export async function connectCluster(
  nodes: readonly Address[],
  redisOptions: Credentials,
): Promise<Cluster> {
  const cluster = new Cluster([...nodes], { redisOptions });
  const ready = new Promise((resolve) => cluster.once('ready', resolve));
  try {
    await within('connection to the Redis cluster', CONNECT_TIMEOUT_MS, ready);
  } catch (error) {
    cluster.disconnect();
    throw error;
  }
  return cluster;
}

/** Runs the work with a direct connection to the test cluster. */
export async function withRedis<T>(
  work: (masters: Redis[], cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await connectRedis();
  try {
    return await work(mastersOf(cluster), cluster);
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
  const keys = (await scan(mastersOf(cluster), prefix)).flat();
  const values = await Promise.all(keys.map((key) => read(cluster, key)));
  return { keys, values };
}

/**
 * The connections to the masters.
 *
 * @throws when the client has lost some of them, for example after restarts: the keys of these masters would seem lost
 */
function mastersOf(cluster: Cluster): Redis[] {
  const masters = cluster.nodes('master');
  const connected = new Set(masters.map(({ options }) => `${options.host}:${options.port}`));
  const covered = cluster.slots.filter(([master]) => connected.has(master ?? '')).length;
  if (covered < SLOTS) {
    throw new Error(`the client is connected to the masters of ${covered} of ${SLOTS} slots only`);
  }
  return masters;
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
