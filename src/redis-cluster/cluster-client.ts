import { Cluster, Redis } from 'ioredis';

import type { ConnectionSecrets } from './connection-secrets.js';
import type { NatMap, RedisNodeAddress } from './redis-cluster.options.js';
import type { Seed } from './seeds.js';
import { connectorReporting } from './reporting-connector.js';

/** Called with each error of a connection. `where` names the node or the part that failed. */
export type OnError = (where: string, error: Error) => void;

interface ClientOptions {
  /** At least one. */
  readonly seeds: readonly Seed[];
  readonly secrets: ConnectionSecrets;
  readonly natMap?: NatMap | undefined;
}

/**
 * Creates the client for requests. It fails fast instead of queueing, because RedisCluster retries each call within a time
 * budget. It connects once: ClusterLink replaces it after it has ended.
 */
export function createClusterClient(
  { seeds, secrets, natMap }: ClientOptions,
  onError: OnError,
): Cluster {
  const connectionErrors = new Map<string, Error>();
  const startupNodes = seeds.map(({ host, port, name }) => ({
    host,
    port,
    ...(secrets.isTls && name !== undefined ? { tls: { servername: name } } : {}),
  }));
  const client = new Cluster(startupNodes, {
    // With the queue, requests would wait in memory while the cluster is unavailable, instead of failing with 503.
    enableOfflineQueue: false,
    // A failover causes a few redirections. More than this within one budget is a loop.
    maxRedirections: 8,
    // Short, because the budget of one operation allows only a few of them.
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    retryDelayOnTryAgain: 50,
    // If a node does not return the slots quickly, the client asks another one.
    slotsRefreshTimeout: 300,
    // ClusterLink refreshes the slots: ioredis 6.0.0 never stops if it is closed during a refresh.
    slotsRefreshInterval: 0,
    // A replica may not have received a logout yet, so it must not decide about a session.
    scaleReads: 'master',
    // ioredis uses the seeds again only when its pool is empty, and unconnected replicas never leave the pool.
    clusterRetryStrategy: () => null,
    // Announced host names are not resolved here, because certificates are checked against them.
    dnsLookup: (name, done) => done(null, name),
    ...(natMap ? { natMap: { ...natMap } } : {}),
    redisOptions: {
      ...connectionOptions(secrets),
      Connector: connectorReporting(secrets, (address, error) =>
        connectionErrors.set(address, error),
      ),
      // Less than the budget, so that an operation on a silent node has time for a retry.
      commandTimeout: 1000,
      // A frozen node keeps its connections open. A connection with an overdue reply counts as closed.
      socketTimeout: 800,
    },
  });
  client.on('+node', (node: Redis) => useLatestCredentials(node, secrets));
  client.on('error', (error: Error) => onError('Redis Cluster', error));
  client.on('node error', (error: Error, address: string) => {
    onError(`Redis node ${address}`, connectionErrors.get(address) ?? error);
    connectionErrors.delete(address);
  });
  return client;
}

/** A connection to one node for a subscription. It does not reconnect, because the subscriber must notice the loss. */
export function createListeningConnection(
  secrets: ConnectionSecrets,
  address: RedisNodeAddress,
): Redis {
  return createConnection(secrets, address, () => undefined);
}

/** A connection to one node, for a few commands. */
export function createConnection(
  secrets: ConnectionSecrets,
  { host, port, name }: Seed,
  onError: (error: Error) => void,
  commandTimeoutMs = 800,
): Redis {
  const connection = new Redis({
    ...connectionOptions(secrets),
    ...(secrets.isTls && name !== undefined ? { tls: { servername: name } } : {}),
    host,
    port,
    Connector: connectorReporting(secrets, (_, error) => onError(error)),
    lazyConnect: true,
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    autoResubscribe: false,
    retryStrategy: () => null,
  });
  useLatestCredentials(connection, secrets);
  return connection;
}

/** ioredis copies the options long before it connects. Getters make it read the current credentials when it connects. */
function useLatestCredentials({ options }: Redis, secrets: ConnectionSecrets): void {
  Object.defineProperties(options, {
    username: { get: () => secrets.username, enumerable: true, configurable: true },
    password: { get: () => secrets.password, enumerable: true, configurable: true },
  });
}

function connectionOptions(secrets: ConnectionSecrets) {
  return {
    // The connector adds the current certificates when it connects.
    ...(secrets.isTls ? { tls: {} } : {}),
    connectTimeout: 500,
    // The check needs INFO, which a restricted user may not run. A node that is loading rejects any command anyway.
    enableReadyCheck: false,
    // Redis 7.0 does not know this command, and the restricted user may not run it.
    disableClientInfo: true,
  };
}
