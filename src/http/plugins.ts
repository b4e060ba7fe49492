import type { FastifyInstance, FastifyRequest } from 'fastify';

import { DEADLINE } from '../common/deadline/index.js';
import { HIDES_DETAILS, jsonOf } from '../common/http/index.js';
import type { Settings } from '../config/index.js';
import type { Logs } from '../logging/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import type { Spans } from '../tracing/index.js';
import { refuseUnsupportedMethods, supportEveryMethod } from './allowed-methods.js';
import { parseBodies } from './bodies.js';
import { refuseConnect } from './client-errors.js';
import { limitPublicConnections } from './connection-limits.js';
import type { CrossOriginRules } from './cors.js';
import { normalizeAddresses } from './client-addresses.js';
import { shedLoad } from './load-shedding.js';
import { serveManagementPort } from './management.js';
import { addPublicPath } from './public-path.js';
import { checkRequestHeads } from './request-heads.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './request-spans.js';
import { addSecurityHeaders } from './security-headers.js';
import { renewCertificate } from './tls.js';

export interface HttpOptions {
  readonly settings: Pick<Settings, 'http' | 'management' | 'isProduction'>;
  readonly logs: Logs;
  readonly metrics: MetricsRegistry;
  /** Absent: tracing is off. */
  readonly spans: Spans | undefined;
  readonly crossOrigin: CrossOriginRules;
  /** Whether clients connect by HTTPS. */
  readonly isHttps: boolean;
  /** Whether the instance cannot serve the request yet. */
  readonly isNotReadyFor: (request: FastifyRequest) => boolean;
}

/**
 * Every concern of the HTTP layer, one line each. Plugins are called directly and not through `register`, which would
 * encapsulate their hooks. All routes are declared later on the same server.
 *
 * Hooks of the same kind run in the order of this list, and the first one that refuses ends the request:
 * 1. Spans and metrics, so that they also count refused requests.
 * 2. Connections, bodies and serialization. They add no request hooks, so their order does not matter.
 * 3. Headers of every response, including refusals: security headers, then CORS, so that pages can read refusals.
 * 4. Hooks that refuse requests, cheapest check first: wrong port, overload, malformed head, unsupported method.
 */
export async function addHttpPlugins(server: FastifyInstance, options: HttpOptions): Promise<void> {
  const { settings, logs, metrics, spans, crossOrigin, isHttps, isNotReadyFor } = options;
  const { http } = settings;
  const { logger } = logs;

  [DEADLINE, HIDES_DETAILS].forEach(({ key }) => server.decorateRequest(key));
  if (spans) {
    logs.requestLog.traceIdOf = traceRequests(server, spans);
  }
  measureRequests(server, metrics);

  limitPublicConnections(server);
  normalizeAddresses(server.server, http.trustedProxies.length > 0);
  if (http.tls) {
    renewCertificate(server, http.tls, { metrics, logger });
  }
  refuseConnect(server, logger);
  supportEveryMethod(server);
  parseBodies(server);
  server.setReplySerializer(jsonOf);
  addPublicPath(server, http.publicPath);

  addSecurityHeaders(server, isHttps);
  serveManagementPort(server, { settings, logger });
  await crossOrigin.apply(server);

  await shedLoad(server);
  checkRequestHeads(server, isNotReadyFor);
  refuseUnsupportedMethods(server);
}
