import { setTimeout as delay } from 'node:timers/promises';

import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';

export interface ClusterMemory {
  /** Sum of `used_memory` of all masters. */
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

/** Waits until Redis has removed expired keys, which it does gradually. */
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
