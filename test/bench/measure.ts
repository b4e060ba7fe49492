import { rmSync } from 'node:fs';

import type { Measurement } from './measures.js';
import type { LoadRequest } from './request-list.js';
import type { ServerProcess } from './server-process.js';
import type { Stage } from './stage.js';
import { runWrk, type Load, type LoadResult } from './wrk.js';

/** Long enough to compile the code and open the connections, because it is repeated in each round. */
const WARM_UP_SECONDS = 2;

type LoadMeasurement = Measurement &
  Required<Pick<Measurement, 'requestsPerSecond' | 'medianMs' | 'p99Ms'>>;

/** Sends load that is not measured, as warm-up. @param seconds at most as long as the measurement */
export async function warmUp(
  server: ServerProcess,
  load: Omit<Load, 'url'>,
  seconds = WARM_UP_SECONDS,
): Promise<void> {
  await runWrk({ ...load, url: server.url, seconds: Math.min(seconds, load.seconds) });
}

/** Sends load to a server, and measures it. */
export async function measure(
  server: ServerProcess,
  load: Omit<Load, 'url'>,
): Promise<LoadMeasurement> {
  const cpuBefore = server.cpuMicros;
  const result = await runWrk({ ...load, url: server.url });
  const cpu = server.cpuMicros - cpuBefore;
  server.truncateLog();
  return { ...measurementOf(result), ...(cpu > 0 ? { cpuMicros: cpu / result.requests } : {}) };
}

/** Sends each request once. The measurement ends at the end of the list or earlier. */
export async function measureOnce(
  stage: Stage,
  server: ServerProcess,
  requests: readonly LoadRequest[],
  limits: Pick<Load, 'seconds' | 'connections'>,
): Promise<LoadMeasurement> {
  const file = stage.writeRequests(requests);
  const measured = await measure(server, { ...limits, file, order: 'once' });
  rmSync(file);
  return measured;
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
