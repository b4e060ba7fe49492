import type { Measurement } from './measures.js';
import type { ServerProcess } from './server-process.js';
import { runWrk, type Load, type LoadResult } from './wrk.js';

/** Sends load to a server, and tells what came of it. */
export async function measure(
  server: ServerProcess,
  load: Omit<Load, 'url'>,
): Promise<
  Required<Pick<Measurement, 'requestsPerSecond' | 'medianMs' | 'p90Ms' | 'p99Ms'>> & Measurement
> {
  const cpuBefore = server.cpuMicros;
  const result = await runWrk({ ...load, url: server.url });
  const cpu = server.cpuMicros - cpuBefore;
  server.forgetLog();
  return { ...measurementOf(result), ...(cpu > 0 ? { cpuMicros: cpu / result.requests } : {}) };
}

function measurementOf({ requests, durationMicros, latencyMicros }: LoadResult) {
  return {
    requestsPerSecond: requests / (durationMicros / 1e6),
    medianMs: latencyMicros.p50 / 1000,
    p90Ms: latencyMicros.p90 / 1000,
    p99Ms: latencyMicros.p99 / 1000,
    maxMs: latencyMicros.max / 1000,
  };
}
