import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

import { setUpApiDocs } from '../api-docs/index.js';
import { AppModule, isServedByHttps, type AppExtensions, type AppSettings } from '../app.module.js';
import { serveConsole } from '../console/index.js';
import { Readiness } from '../health/index.js';
import {
  addHttpPlugins,
  ALWAYS_SERVED,
  CrossOriginRules,
  MANAGEMENT_ROUTES,
  ProblemFilter,
  serverOptions,
  VaryHeaderAdapter,
} from '../http/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { MetricsRegistry } from '../metrics/index.js';
import { Tracing } from '../tracing/index.js';
import { BootstrapAdministrator } from '../users/index.js';
import { drainWhenClosed } from './drain.js';
import { keepFixedRoutes } from './global-prefix.js';
import { validationPipe } from './request-validation.js';

/**
 * Nest runs global filters in the reverse order of their registration, and scans the root module first. So filters
 * (`APP_FILTER`) of added modules run before Keyslot's filter, which catches everything.
 */
@Module({ providers: [{ provide: APP_FILTER, useClass: ProblemFilter }] })
class RootModule {
  static around(application: DynamicModule): DynamicModule {
    return { module: RootModule, imports: [application] };
  }
}

/** Creates the application, ready to listen. `main.ts`, tests and applications that extend Keyslot all use it. */
export async function createApp(
  settings: AppSettings,
  extensions: AppExtensions = {},
): Promise<NestFastifyApplication> {
  const logs = createLogs(settings.logLevel, settings.worker);
  const { corsOrigins, corsHeaders, publicUrl, publicPath } = settings.http;
  const crossOrigin = new CrossOriginRules(corsOrigins, corsHeaders);
  const adapter = new VaryHeaderAdapter(serverOptions(settings.http, logs, crossOrigin));
  const app = await NestFactory.create<NestFastifyApplication>(
    RootModule.around(AppModule.forRoot(settings, extensions)),
    adapter,
    { bodyParser: false, logger: new NestLogger(logs.logger), abortOnError: false },
  );
  const server = adapter.getInstance();
  await addHttpPlugins(server, {
    settings,
    logs,
    metrics: app.get(MetricsRegistry),
    spans: app.get(Tracing).spans,
    crossOrigin,
    isHttps: isServedByHttps(settings.http),
    isNotReadyFor: notReadyUntilAdministratorExists(app),
  });
  drainWhenClosed(server, logs.logger);
  app.useGlobalPipes(validationPipe(app, extensions.validation));
  keepFixedRoutes(app);
  await extensions.configure?.(app);
  serveConsole(server);
  if (settings.hasApiDocs) {
    setUpApiDocs(app, {
      ...extensions.apiDocs,
      publicUrl,
      publicPath,
      alwaysServed: ALWAYS_SERVED,
    });
  }
  return app;
}

/** Serves only probes until the administrator of the settings exists. Otherwise another client could register its name first. */
function notReadyUntilAdministratorExists(
  app: NestFastifyApplication,
): (request: FastifyRequest) => boolean {
  const administrator = app.get(BootstrapAdministrator);
  app.get(Readiness).waitFor(() => !administrator.isPending);
  return ({ routeOptions }) =>
    administrator.isPending && !MANAGEMENT_ROUTES.includes(routeOptions.url ?? '');
}
