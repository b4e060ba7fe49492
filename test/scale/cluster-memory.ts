import { setTimeout as delay } from 'node:timers/promises';

import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';

export interface ClusterMemory {
  /** Of all masters: `used_memory`. */
  readonly bytes: number;
  readonly keys: number;
}

export async function memoryOf(cluster: EmbeddedCluster): Promise<ClusterMemory> {
  let [bytes, keys] = [0, 0];
  for (const { port } of cluster.addresses) {
    const info = await cluster.call(port, 'INFO', 'everything');
    if (info.includes('role:master')) {
      bytes += Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
      keys += Number(await cluster.call(port, 'DBSIZE'));
    }
  }
  return { bytes, keys };
}

/** Until keys that have run out are gone, as far as they go: Redis looks for them little by little. */
export async function untilFewerKeys(
  cluster: EmbeddedCluster,
  most: number,
  timeoutMs: number,
): Promise<ClusterMemory> {
  const end = performance.now() + timeoutMs;
  let memory = await memoryOf(cluster);
  while (memory.keys > most && performance.now() < end) {
    await delay(500);
    memory = await memoryOf(cluster);
  }
  return memory;
}
