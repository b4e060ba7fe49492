import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { RedisNodeAddress, ResolveHost } from './redis-cluster.options.js';

/** A node to read the slot map from. */
export interface Seed extends RedisNodeAddress {
  /** The host name that was resolved to the address. Certificates are checked against it. */
  readonly name?: string;
}

export const resolveBySystem: ResolveHost = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Resolves the configured nodes to addresses without duplicates. If one name cannot be resolved, the others remain usable.
 *
 * @param onError called for each name that cannot be resolved
 */
export async function resolveSeeds(
  nodes: readonly RedisNodeAddress[],
  resolve: ResolveHost,
  onError: (host: string, error: Error) => void,
): Promise<Seed[]> {
  const found = await Promise.all(
    nodes.map(async ({ host, port }): Promise<Seed[]> => {
      if (isIP(host) !== 0) {
        return [{ host, port }];
      }
      try {
        return (await resolve(host)).map((address) => ({ host: address, port, name: host }));
      } catch (error) {
        onError(host, error as Error);
        return [];
      }
    }),
  );
  return [...new Map(found.flat().map((seed) => [`${seed.host}:${seed.port}`, seed])).values()];
}
