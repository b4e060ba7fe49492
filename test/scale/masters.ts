import { setTimeout as delay } from 'node:timers/promises';

import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';

export interface ClusterMemory {
  /** Sum of `used_memory` of all masters. */
  readonly bytes: number;
  readonly keys: number;
}

/** What the masters have used so far. */
export interface Usage {
  /** Processor time of the threads that run the commands, by `host:port`. */
  readonly cpuMs: ReadonlyMap<string, number>;
  /** Bytes received from and sent to clients, for all masters together. */
  readonly networkBytes: number;
}

export async function memoryOf(cluster: EmbeddedCluster): Promise<ClusterMemory> {
  let [bytes, keys] = [0, 0];
  for (const { port, info } of await mastersOf(cluster)) {
    bytes += numberIn(info, 'used_memory');
    keys += Number(await cluster.call(port, 'DBSIZE'));
  }
  return { bytes, keys };
}

export async function usageOf(cluster: EmbeddedCluster): Promise<Usage> {
  const cpuMs = new Map<string, number>();
  let networkBytes = 0;
  for (const { host, port, info } of await mastersOf(cluster)) {
    const seconds =
      numberIn(info, 'used_cpu_user_main_thread') + numberIn(info, 'used_cpu_sys_main_thread');
    cpuMs.set(`${host}:${port}`, seconds * 1000);
    networkBytes += numberIn(info, 'total_net_input_bytes');
    networkBytes += numberIn(info, 'total_net_output_bytes');
    // The output of a master includes what it sends to its replica.
    networkBytes -= numberIn(info, 'total_net_repl_output_bytes');
  }
  return { cpuMs, networkBytes };
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

async function mastersOf(
  cluster: EmbeddedCluster,
): Promise<{ host: string; port: number; info: string }[]> {
  const nodes = await Promise.all(
    cluster.addresses.map(async ({ host, port }) => ({
      host,
      port,
      info: await cluster.call(port, 'INFO', 'everything'),
    })),
  );
  return nodes.filter(({ info }) => info.includes('role:master'));
}

function numberIn(info: string, field: string): number {
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1]);
}
