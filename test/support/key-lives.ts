import type { OwnCluster } from './own-cluster.js';

/** When each key expires, in milliseconds since the epoch; Infinity for a key without expiry. */
export type Lives = ReadonlyMap<string, number>;

/** The lives of all keys of a cluster. */
export async function livesOf(redis: OwnCluster): Promise<Lives> {
  const lives = new Map<string, number>();
  for (const port of await redis.masters()) {
    const keys = (await redis.cluster.call(port, 'KEYS', '*')).split(',').filter(Boolean);
    for (const key of keys) {
      const at = Number(await redis.cluster.call(port, 'PEXPIRETIME', key));
      // -2: it has just expired.
      if (at !== -2) {
        lives.set(key, at === -1 ? Infinity : at);
      }
    }
  }
  return lives;
}

/** For each kind of key (without its ids), whether keys of it expire. */
export function livesByKind(lives: Lives): Record<string, ('for good' | 'runs out')[]> {
  const kinds: Record<string, ('for good' | 'runs out')[]> = {};
  for (const [key, at] of lives) {
    const kind = key.replace(/^.*\{([a-z-]+)\.([^}]*)\}:([a-z-]+).*$/, '$1:$3');
    const life = at === Infinity ? 'for good' : 'runs out';
    kinds[kind] = [...new Set([...(kinds[kind] ?? []), life])].sort() as (typeof kinds)[string];
  }
  return kinds;
}
