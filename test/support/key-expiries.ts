import type { OwnCluster } from './own-cluster.js';

/** When each key expires, in milliseconds since the epoch; Infinity for a key without expiry. */
export type KeyExpiries = ReadonlyMap<string, number>;

/** The expiry of each key of a cluster. */
export async function expiriesOf(redis: OwnCluster): Promise<KeyExpiries> {
  const expiries = new Map<string, number>();
  for (const port of await redis.masters()) {
    const keys = (await redis.cluster.call(port, 'KEYS', '*')).split(',').filter(Boolean);
    for (const key of keys) {
      const at = Number(await redis.cluster.call(port, 'PEXPIRETIME', key));
      // -2: it has just expired.
      if (at !== -2) {
        expiries.set(key, at === -1 ? Infinity : at);
      }
    }
  }
  return expiries;
}

/** For each kind of key (its name without ids), whether keys of this kind expire. */
export function expiryByKind(expiries: KeyExpiries): Record<string, ('permanent' | 'temporary')[]> {
  const kinds: Record<string, ('permanent' | 'temporary')[]> = {};
  for (const [key, at] of expiries) {
    const kind = key.replace(/^.*\{([a-z-]+)\.([^}]*)\}:([a-z-]+).*$/, '$1:$3');
    const expiry = at === Infinity ? 'permanent' : 'temporary';
    kinds[kind] = [...new Set([...(kinds[kind] ?? []), expiry])].sort() as (typeof kinds)[string];
  }
  return kinds;
}
