import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import type { AppExtensions } from '../app.module.js';
import type { Settings } from '../config/index.js';
import { hasConsolePage } from '../console/index.js';
import { createApp } from './create-app.js';
import { globalPrefix } from './global-prefix.js';
import { listeningAddress } from './listening-address.js';
import { printUrls, type ReadyFacts } from './ready-message.js';
import { withCluster } from './redis-nodes.js';
import type { Shutdown } from './shutdown.js';
import { untilReady } from './until-ready.js';

/** Runs an instance that is one process. */
export async function runInstance(
  settings: Settings,
  extensions: AppExtensions,
  shutdown: Shutdown,
): Promise<void> {
  const address = await listeningAddress(settings);
  const app = await createApp(await withCluster(settings, shutdown), extensions);
  shutdown.add(() => app.close());
  if (shutdown.isUnderWay) {
    return;
  }
  await app.listen(settings.http.port, address);
  await untilReady(app);
  if (!shutdown.isUnderWay) {
    printUrls(await readyFacts(app, settings));
  }
}

export async function readyFacts(
  app: NestFastifyApplication,
  { hasApiDocs }: Settings,
): Promise<ReadyFacts> {
  return {
    url: await app.getUrl(),
    prefix: globalPrefix(app),
    hasApiDocs,
    hasConsole: hasConsolePage(),
  };
}
