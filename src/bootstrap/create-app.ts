import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest, FastifyServerOptions } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Server as HttpsServer } from 'node:https';

import { setUpApiDocs } from '../api-docs/index.js';
import { AppModule, isServedByHttps, type AppExtensions, type AppSettings } from '../app.module.js';
import { Readiness } from '../health/index.js';
import { createLogs, NestLogger, requestLogger, type Logs } from '../logging/index.js';
import { MetricsRegistry } from '../metrics/index.js';
import { Tracing } from '../tracing/index.js';
import { BootstrapAdministrator } from '../users/index.js';
import { refuseOtherMethods } from './allowed-methods.js';
import { renderAnswers } from './answers.js';
import { normalizeAddresses } from './client-addresses.js';
import { answerClientError, answerConnect } from './client-errors.js';
import { limitConnections } from './connection-limits.js';
import { CrossOriginRules } from './cors.js';
import { drainWhenClosed } from './drain.js';
import { keepFixedRoutes } from './global-prefix.js';
import { parseJsonOnly } from './json-bodies.js';
import { ALWAYS_SERVED, shedLoad } from './load-shedding.js';
import { MANAGEMENT_ROUTES, separateManagement } from './management.js';
import { earlyProblems, ProblemFilter } from './problem.filter.js';
import { checkRequestHeads } from './request-heads.js';
import { answerUnder } from './public-path.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './request-spans.js';
import { validationPipe } from './request-validation.js';
import { addSecurityHeaders } from './security-headers.js';
import { reloadCertificate, secureContext } from './tls.js';
import { VaryingAdapter } from './varying-adapter.js';

const BODY_LIMIT_BYTES = 64 * 1024;
const HEADERS_LIMIT_BYTES = 16 * 1024;
/** For the headers and for a whole request to arrive: slow senders are cut off. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** How often slow senders are looked for. Node's own interval would double what they get. */
const SLOW_SENDERS_SWEEP_MS = 1000;
/** For an answer that its client does not read. Longer than any request takes that is at work without a byte moving. */
const STALLED_CONNECTION_MS = 20_000;

const LIMITS = {
  maxHeaderSize: HEADERS_LIMIT_BYTES,
  // Ours answers with a problem.
  requireHostHeader: false,
  // Must be the shorter of the two: Node would exchange them otherwise, and let a body take a minute.
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: SLOW_SENDERS_SWEEP_MS,
};

/**
 * Nest asks the global filters in the reverse order of their registration, and scans the root first. So the filters
 * (`APP_FILTER`) of added modules are asked before ours, which catches everything.
 */
@Module({ providers: [{ provide: APP_FILTER, useClass: ProblemFilter }] })
class RootModule {
  static around(application: DynamicModule): DynamicModule {
    return { module: RootModule, imports: [application] };
  }
}

/** The application, ready to listen: the same for `main.ts`, for the tests, and for whoever extends it. */
export async function createApp(
  settings: AppSettings,
  extensions: AppExtensions = {},
): Promise<NestFastifyApplication> {
  const logs = createLogs(settings.logLevel);
  const { corsOrigins, corsHeaders, publicUrl, publicPath } = settings.http;
  const crossOrigin = new CrossOriginRules(corsOrigins, corsHeaders);
  const adapter = new VaryingAdapter(serverOptions(settings, logs, crossOrigin));
  const app = await NestFactory.create<NestFastifyApplication>(
    RootModule.around(AppModule.forRoot(settings, extensions)),
    adapter,
    { bodyParser: false, logger: new NestLogger(logs.logger), abortOnError: false },
  );
  const server = adapter.getInstance();
  const { spans } = app.get(Tracing);
  if (spans) {
    // Before all other hooks: what they refuse is traced as well.
    logs.requestLog.traceIdOf = traceRequests(server, spans);
  }
  const metrics = app.get(MetricsRegistry);
  measureRequests(server, metrics);
  parseJsonOnly(server);
  renderAnswers(server);
  answerUnder(server, publicPath);
  drainWhenClosed(server, {
    connections: limitConnections(server.server),
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    logger: logs.logger,
  });
  normalizeAddresses(server.server, settings.http.trustedProxies.length > 0);
  const { tls } = settings.http;
  if (tls) {
    const expiresAt = reloadCertificate(server.server as unknown as HttpsServer, tls, logs.logger);
    metrics.gauge(
      'keyslot_tls_certificate_expiry_timestamp_seconds',
      'When the certificate that is served runs out, in seconds since the epoch.',
      () => expiresAt().getTime() / 1000,
    );
  }
  addSecurityHeaders(server, isServedByHttps(settings.http));
  separateManagement(server, {
    settings,
    limits: LIMITS,
    stalledConnectionMs: STALLED_CONNECTION_MS,
    logger: logs.logger,
  });
  await crossOrigin.apply(app);
  await shedLoad(app);
  checkRequestHeads(server, HEADERS_LIMIT_BYTES, heldBackUntilAdministrator(app));
  refuseOtherMethods(server);
  server.server.on('connect', (_, socket) => answerConnect(socket, logs.logger));
  app.useGlobalPipes(validationPipe(app, extensions.validation));
  keepFixedRoutes(app);
  await extensions.configure?.(app);
  if (settings.hasApiDocs) {
    setUpApiDocs(app, {
      ...extensions.apiDocs,
      ...{ publicUrl, publicPath, alwaysServed: ALWAYS_SERVED },
    });
  }
  return app;
}

/** Nobody may be faster than the administrator of the settings: until it is there, only probes are served. */
function heldBackUntilAdministrator(
  app: NestFastifyApplication,
): (request: FastifyRequest) => boolean {
  const administrator = app.get(BootstrapAdministrator);
  app.get(Readiness).waitFor(() => !administrator.isPending);
  return ({ routeOptions }) =>
    administrator.isPending && !MANAGEMENT_ROUTES.includes(routeOptions.url ?? '');
}

function serverOptions(
  settings: AppSettings,
  { logger: loggerInstance, requestLog }: Logs,
  crossOrigin: CrossOriginRules,
): FastifyServerOptions {
  const { tls, trustedProxies, publicPath } = settings.http;
  const early = { logger: loggerInstance, crossOrigin, publicPath };
  return {
    loggerInstance,
    logController: requestLog,
    childLoggerFactory: requestLogger,
    genReqId: () => randomUUID(),
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: STALLED_CONNECTION_MS,
    // While the instance drains, connections that are open are served; idle ones are closed.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: earlyProblems(crossOrigin),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, early),
    ...(tls
      ? {
          https: {
            ...secureContext(tls.cert, tls.key.reveal()),
            handshakeTimeout: HEADERS_TIMEOUT_MS,
            ...LIMITS,
          },
        }
      : { http: LIMITS }),
  };
}
