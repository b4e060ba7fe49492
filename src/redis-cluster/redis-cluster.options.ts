import type { Secret } from '../common/secret/index.js';

export interface RedisNodeAddress {
  readonly host: string;
  readonly port: number;
}

/** By the address that a node announces, as `host:port`: the address at which it is reached from here. */
export type NatMap = Readonly<Record<string, RedisNodeAddress>>;

/** Resolves a host name to all of its addresses. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** What a connection presents to a node: the ACL user, and with TLS the certificates. */
export interface RedisIdentity {
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  /** PEM texts. */
  readonly tls?: RedisTls | undefined;
}

export interface RedisTls {
  /** Authorities to trust. Default: those of the system. */
  readonly ca?: string | undefined;
  /** The client's certificate, perhaps with its chain. Needs `key`. */
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
}

export interface RedisClusterOptions {
  /**
   * Any nodes of the cluster, by address or by name; the others are found through them. At least one. They are asked again,
   * with new DNS look-ups, whenever no known node serves.
   */
  readonly nodes: readonly RedisNodeAddress[];
  /** ACL user. Default: Redis' own `default` user. */
  readonly username?: string;
  readonly password?: Secret;
  /** TLS to every node. PEM texts; without `ca` the system's authorities are trusted. Default: plain text. */
  readonly tls?: RedisTls;
  /**
   * Provides the user and the certificates for new connections, over `username`, `password` and `tls`. It is asked every
   * few seconds, before each reconnect, and when Redis refuses the user. Connections that are open go on. When it fails,
   * its last answer stays in use. Default: they never change.
   */
  readonly identity?: () => RedisIdentity | Promise<RedisIdentity>;
  /** Resolves a host name of `nodes`. Default: the system's resolver. */
  readonly resolveHost?: ResolveHost;
  /** Where nodes are reached that announce another address, as behind NAT. Default: where they announce. */
  readonly natMap?: NatMap;
  /** In front of every key. Must not contain braces: they would take over the hash slot. Default `ks:`. */
  readonly keyPrefix?: string;
  /**
   * Replicas that must confirm a durable write: as many as a master has, because the replica that a failover promotes
   * has to be one that confirmed. Default 1.
   */
  readonly confirmingReplicas?: number;
  /**
   * Longest time for one operation with all its retries, in milliseconds. Default 1500: below the two seconds within
   * which a request must be answered when Redis is away.
   */
  readonly budgetMs?: number;
}

export const REDIS_CLUSTER_DEFAULTS = {
  keyPrefix: 'ks:',
  confirmingReplicas: 1,
  budgetMs: 1500,
} as const;
