import type { ServerOptions } from 'node:http';

export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_HEADERS_BYTES = 16 * 1024;
/** For the headers and for a whole request to arrive: slow senders are cut off. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 15_000;
/** How often slow senders are looked for. Node's own interval would double what they get. */
const SLOW_SENDERS_SWEEP_MS = 1000;
/** For an answer that its client does not read. Longer than any request takes that is at work without a byte moving. */
export const STALLED_CONNECTION_TIMEOUT_MS = 20_000;

/** Of Node's HTTP servers, for the public port and for the management port. */
export const SERVER_LIMITS: ServerOptions = {
  maxHeaderSize: MAX_HEADERS_BYTES,
  // Ours answers with a problem.
  requireHostHeader: false,
  // Must be the shorter of the two: Node would exchange them otherwise, and let a body take a minute.
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: SLOW_SENDERS_SWEEP_MS,
};
