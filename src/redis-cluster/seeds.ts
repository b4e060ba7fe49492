import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { RedisNodeAddress, ResolveHost } from './redis-cluster.options.js';

/** A node to ask for the slots. */
export interface Seed extends RedisNodeAddress {
  /** The host name that the address was found by: a certificate is checked against it. */
  readonly name?: string;
}

export const resolveBySystem: ResolveHost = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The addresses behind the configured nodes, each once. A name that cannot be resolved leaves the others usable.
 *
 * @param onError told of each name that cannot be resolved
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
