import type { FastifyInstance, FastifyRequest } from 'fastify';

import { DEADLINE } from '../common/deadline/index.js';
import { HIDES_INTERNALS } from '../common/http/index.js';
import type { Settings } from '../config/index.js';
import type { Logs } from '../logging/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import type { Spans } from '../tracing/index.js';
import { refuseOtherMethods } from './allowed-methods.js';
import { renderAnswers } from './answer-serializer.js';
import { parseBodies } from './bodies.js';
import { refuseConnect } from './client-errors.js';
import { limitPublicConnections } from './connection-limits.js';
import type { CrossOriginRules } from './cors.js';
import { normalizeAddresses } from './client-addresses.js';
import { shedLoad } from './load-shedding.js';
import { separateManagement } from './management.js';
import { answerUnder } from './public-path.js';
import { checkRequestHeads } from './request-heads.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './request-spans.js';
import { addSecurityHeaders } from './security-headers.js';
import { renewCertificate } from './tls.js';

export interface HttpOptions {
  readonly settings: Pick<Settings, 'http' | 'management' | 'isProduction'>;
  readonly logs: Logs;
  readonly metrics: MetricsRegistry;
  /** Absent: nothing is traced. */
  readonly spans: Spans | undefined;
  readonly crossOrigin: CrossOriginRules;
  /** Whether clients come by HTTPS. */
  readonly isHttps: boolean;
  /** Whether the instance cannot serve the request yet. */
  readonly isHeldBack: (request: FastifyRequest) => boolean;
}

/**
 * Every concern of the HTTP layer, one line each. A plugin is called with the server itself and not through `register`, which
 * would confine its hooks to a scope of its own; all routes are declared later, on the same server.
 *
 * Hooks of one kind run in the order of this list, and the first that refuses ends a request:
 * 1. Spans and metrics come first, so that they count what the others refuse.
 * 2. The connection, the body and the answer have no hook in front of a request: their order does not matter.
 * 3. Headers that every answer has, also one that refuses: security headers, then CORS, so that pages can read refusals.
 * 4. Hooks that refuse, the cheapest reason first: the wrong port, too much load, a malformed head, an unknown path.
 */
export async function addHttpPlugins(server: FastifyInstance, options: HttpOptions): Promise<void> {
  const { settings, logs, metrics, spans, crossOrigin, isHttps, isHeldBack } = options;
  const { http } = settings;
  const { logger } = logs;

  [DEADLINE, HIDES_INTERNALS].forEach(({ key }) => server.decorateRequest(key));
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
  parseBodies(server);
  renderAnswers(server);
  answerUnder(server, http.publicPath);

  addSecurityHeaders(server, isHttps);
  separateManagement(server, { settings, logger });
  await crossOrigin.apply(server);

  await shedLoad(server);
  checkRequestHeads(server, isHeldBack);
  refuseOtherMethods(server);
}
