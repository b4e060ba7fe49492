import type { Secret } from '../common/secret/index.js';

export interface RedisNodeAddress {
  readonly host: string;
  readonly port: number;
}

/** Maps the address that a node announces, as `host:port`, to the address at which it can be reached from here. */
export type NatMap = Readonly<Record<string, RedisNodeAddress>>;

/** Resolves a host name to all of its addresses. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** The credentials of a connection: the ACL user, and with TLS the certificates. */
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
   * Any nodes of the cluster, by address or by name; at least one. The client discovers the others through them. While no
   * known node serves, it connects to these nodes again, with new DNS look-ups.
   */
  readonly nodes: readonly RedisNodeAddress[];
  /** ACL user. Default: Redis' own `default` user. */
  readonly username?: string;
  readonly password?: Secret;
  /** TLS to every node. PEM texts; without `ca` the system's authorities are trusted. Default: plain text. */
  readonly tls?: RedisTls;
  /**
   * Provides the user and the certificates for new connections. It overrides `username`, `password` and `tls`. It is called
   * every few seconds, before each reconnect, and when Redis rejects the user. Open connections stay open. When it fails,
   * its last result stays in use. Default: the credentials never change.
   */
  readonly identity?: () => RedisIdentity | Promise<RedisIdentity>;
  /** Resolves a host name of `nodes`. Default: the system's resolver. */
  readonly resolveHost?: ResolveHost;
  /** For nodes behind NAT, which announce an address that is not reachable from here. Default: the announced addresses. */
  readonly natMap?: NatMap;
  /** Prefix of every key. Must not contain braces, because they would define the hash slot. Default `ks:`. */
  readonly keyPrefix?: string;
  /**
   * Whether at least one replica must confirm each durable write. With `true`, a shard without a live replica confirms
   * nothing: changes and confirmed look-ups fail there. With `false`, such a shard confirms writes with one copy, and losing
   * its master as well may lose them. Every replica that could be promoted confirms in both cases. Default `false`.
   */
  readonly requireReplica?: boolean;
  /**
   * Time limit of one operation with all its retries, in milliseconds. Default 1500: less than the two seconds within which
   * a request must be answered while Redis is unavailable.
   */
  readonly budgetMs?: number;
}

export const REDIS_CLUSTER_DEFAULTS = {
  keyPrefix: 'ks:',
  requireReplica: false,
  budgetMs: 1500,
} as const;
