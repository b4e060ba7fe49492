import type { IncomingHttpHeaders } from 'node:http';

/** A request of Fastify or Express, or what stands for it on other transports. */
export interface CallRequest {
  readonly headers: IncomingHttpHeaders;
  /** Names and values, alternately, as received. */
  readonly rawHeaders?: readonly string[];
  /** The principal. The guard sets it. */
  user?: unknown;
}
