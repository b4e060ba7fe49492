import { Cluster, Redis } from 'ioredis';

import type { RedisClusterOptions } from './redis-cluster.options.js';
import { connectorTelling } from './telling-connector.js';

/**
 * A stale slot map heals by itself this soon, even when nothing was refused and nothing failed: what does asks for the map
 * at once. Not sooner, because ioredis takes milliseconds of the event loop to make a new one.
 */
const REFRESH_SLOTS_EVERY_MS = 5000;

/** Told of what goes wrong: what it is about, and the error. */
export type OnTrouble = (where: string, error: Error) => void;

/**
 * A client for requests: it fails fast instead of queueing, because a caller waits for each answer and a retry loop with
 * a budget stands in front of it (see RedisCluster).
 */
export function createClusterClient(options: RedisClusterOptions, onTrouble: OnTrouble): Cluster {
  const whyClosed = new Map<string, Error>();
  const client = new Cluster([...options.nodes], {
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
    // Done below: ioredis 6.0.0 goes on for ever with it when it is closed while a refresh is under way.
    slotsRefreshInterval: 0,
    // A replica may lag behind a logout, so it never decides about a session.
    scaleReads: 'master',
    // Bounded, and never giving up: recovery needs no restart.
    clusterRetryStrategy: (times) => Math.min(50 * times, 500),
    // A certificate is checked against the name that it was made for, and not against the address behind the name.
    ...(options.tls ? { dnsLookup: (name, done) => done(null, name) } : {}),
    redisOptions: {
      ...connectionOptions(options),
      Connector: connectorTelling((address, error) => whyClosed.set(address, error)),
      // Below the budget, so that an operation on a silent node has time for a second try.
      commandTimeout: 1000,
      // A frozen node keeps its connections open; silence while a reply is due counts as closed.
      socketTimeout: 800,
    },
  });
  const refreshSlots = (): void => {
    if (client.status === 'ready') {
      client.refreshSlotsCache(() => undefined);
    }
  };
  client.on('error', (error: Error) => onTrouble('Redis Cluster', error));
  client.on('node error', (error: Error, address: string) => {
    onTrouble(`Redis node ${address}`, whyClosed.get(address) ?? error);
    whyClosed.delete(address);
  });
  const timer = setInterval(refreshSlots, REFRESH_SLOTS_EVERY_MS).unref();
  client.once('end', () => clearInterval(timer));
  return client;
}

/** A connection to one node that listens. When it is lost it stays lost: whoever listens has to know. */
export function createListeningConnection(
  options: RedisClusterOptions,
  address: { readonly host: string; readonly port: number },
): Redis {
  return new Redis({
    ...connectionOptions(options),
    ...address,
    Connector: connectorTelling(() => undefined),
    lazyConnect: true,
    commandTimeout: 800,
    enableOfflineQueue: false,
    autoResubscribe: false,
    retryStrategy: () => null,
  });
}

/** What every connection to a node has. */
export function connectionOptions(options: RedisClusterOptions) {
  return {
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password.reveal() }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    connectTimeout: 500,
    // It would ask for INFO, which a user with few rights may not run; a node that is loading says so to any command.
    enableReadyCheck: false,
    // A command that Redis 7.0 does not know, and has no right for.
    disableClientInfo: true,
  };
}
