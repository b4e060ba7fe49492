import type { ServerOptions } from 'node:http';

export const MAX_BODY_BYTES = 64 * 1024;
/** The rest of a refused body that is read. The limit of nginx in docker/. */
export const MAX_DISCARDED_BYTES = 256 * 1024;
export const MAX_HEADERS_BYTES = 16 * 1024;
/** Time for the headers to arrive, and for the whole request. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 15_000;
/** How often Node checks these timeouts. Its default of 30 s would more than double them. */
const TIMEOUT_CHECK_INTERVAL_MS = 1000;
/** Time that a client may leave a response unread. Longer than the longest request that is processed without traffic. */
export const STALLED_CONNECTION_TIMEOUT_MS = 20_000;

/** Options of Node's HTTP servers on the public port and the management port. */
export const SERVER_LIMITS: ServerOptions = {
  maxHeaderSize: MAX_HEADERS_BYTES,
  // `checkRequestHeads` checks it and answers with a problem document.
  requireHostHeader: false,
  // Must be shorter than requestTimeout: otherwise Node swaps them, and a body may take a minute.
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
};
