import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';

import { Problem } from '../common/problem/index.js';

/** Mean event loop delay above which new requests are refused, so that requests in progress are still answered in time. */
const MAX_EVENT_LOOP_DELAY_MS = 500;
/**
 * Served under any load. Otherwise the orchestrator would restart the instance, and the metrics of the overload would be
 * missing.
 */
export const ALWAYS_SERVED = ['/health/live', '/metrics'];

/** Refuses requests with 503 `overloaded` while the event loop is overloaded. */
export async function shedLoad(server: FastifyInstance): Promise<void> {
  await server.register(underPressure, {
    maxEventLoopDelay: MAX_EVENT_LOOP_DELAY_MS,
    pressureHandler: (request) =>
      ALWAYS_SERVED.includes(request.url) ? undefined : Promise.reject(new Problem('overloaded')),
  });
}
