import type { Secret } from '../common/secret/index.js';

export interface RedisNodeAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisClusterOptions {
  /** Any nodes of the cluster; the others are found through them. At least one. */
  readonly nodes: readonly RedisNodeAddress[];
  /** ACL user. Default: Redis' own `default` user. */
  readonly username?: string;
  readonly password?: Secret;
  /** TLS to every node. `ca` is PEM text; without it the system's authorities are trusted. */
  readonly tls?: { readonly ca?: string };
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
  /** Whether to warn at start of servers that are older than the fixes of holes in Lua. Default false. */
  readonly warnsOfOldServers?: boolean;
}

export const REDIS_CLUSTER_DEFAULTS = {
  keyPrefix: 'ks:',
  confirmingReplicas: 1,
  budgetMs: 1500,
} as const;
