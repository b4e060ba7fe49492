import { Cluster, Redis } from 'ioredis';

import type { ConnectionSecrets } from './connection-secrets.js';
import type { NatMap, RedisNodeAddress } from './redis-cluster.options.js';
import type { Seed } from './seeds.js';
import { connectorReporting } from './reporting-connector.js';

/** Told of what goes wrong: what it is about, and the error. */
export type OnError = (where: string, error: Error) => void;

interface ClientOptions {
  /** At least one. */
  readonly seeds: readonly Seed[];
  readonly secrets: ConnectionSecrets;
  readonly natMap?: NatMap | undefined;
}

/**
 * A client for requests: it fails fast instead of queueing, because a caller waits for each answer and a retry loop with
 * a budget stands in front of it (see RedisCluster). It connects once: ClusterLink replaces it when it has ended.
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
    // With the queue on, every request made while the cluster is away waits in memory instead of answering 503.
    enableOfflineQueue: false,
    // A failover in progress redirects a few times; more than this many in one budget is a loop.
    maxRedirections: 8,
    // Short, because the budget of one operation holds only a few of them.
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    retryDelayOnTryAgain: 50,
    // A node that does not tell the slots at once is not the one to ask.
    slotsRefreshTimeout: 300,
    // ClusterLink does it: ioredis 6.0.0 goes on for ever with it when it is closed while a refresh is under way.
    slotsRefreshInterval: 0,
    // A replica may lag behind a logout, so it never decides about a session.
    scaleReads: 'master',
    // ioredis asks the seeds again only when its pool is empty, which replicas without a connection never leave.
    clusterRetryStrategy: () => null,
    // Host names among the announced addresses stay names: certificates are checked against them.
    dnsLookup: (name, done) => done(null, name),
    ...(natMap ? { natMap: { ...natMap } } : {}),
    redisOptions: {
      ...connectionOptions(secrets),
      Connector: connectorReporting(secrets, (address, error) =>
        connectionErrors.set(address, error),
      ),
      // Below the budget, so that an operation on a silent node has time for a second try.
      commandTimeout: 1000,
      // A frozen node keeps its connections open; silence while a reply is due counts as closed.
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

/** A connection to one node that listens. When it is lost it stays lost: whoever listens has to know. */
export function createListeningConnection(
  secrets: ConnectionSecrets,
  address: RedisNodeAddress,
): Redis {
  return createConnection(secrets, address, () => undefined);
}

/** A connection to one node, for a few questions. */
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

/** ioredis copies the options of a node long before it connects, and again for the connection that asks for the slots. */
function useLatestCredentials({ options }: Redis, secrets: ConnectionSecrets): void {
  Object.defineProperties(options, {
    username: { get: () => secrets.username, enumerable: true, configurable: true },
    password: { get: () => secrets.password, enumerable: true, configurable: true },
  });
}

function connectionOptions(secrets: ConnectionSecrets) {
  return {
    // The connector adds the certificates when it connects.
    ...(secrets.isTls ? { tls: {} } : {}),
    connectTimeout: 500,
    // It would ask for INFO, which a user with few rights may not run; a node that is loading says so to any command.
    enableReadyCheck: false,
    // A command that Redis 7.0 does not know, and has no right for.
    disableClientInfo: true,
  };
}
