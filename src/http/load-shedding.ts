import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';

import { Problem } from '../common/problem/index.js';

/** Mean delay of the event loop from which new requests are refused: those under way could not be answered in time. */
const MAX_EVENT_LOOP_DELAY_MS = 500;
/** What has to answer even then, or the instance would be restarted, and nobody could see why. */
export const ALWAYS_SERVED = ['/health/live', '/metrics'];

/** Refuses requests before the event loop drowns in them. */
export async function shedLoad(server: FastifyInstance): Promise<void> {
  await server.register(underPressure, {
    maxEventLoopDelay: MAX_EVENT_LOOP_DELAY_MS,
    pressureHandler: (request) =>
      ALWAYS_SERVED.includes(request.url) ? undefined : Promise.reject(new Problem('overloaded')),
  });
}
