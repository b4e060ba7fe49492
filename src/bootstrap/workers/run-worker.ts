import { lookup } from 'node:dns/promises';

import type { AppExtensions, AppSettings } from '../../app.module.js';
import { Secret } from '../../common/secret/index.js';
import type { Settings } from '../../config/index.js';
import { mergedMetrics, MetricsRegistry } from '../../metrics/index.js';
import { createApp } from '../create-app.js';
import { readyFacts } from '../instance.js';
import { messageFor } from '../notices.js';
import type { Shutdown } from '../shutdown.js';
import { untilReady } from '../until-ready.js';
import { leavePorts } from './leave-ports.js';
import type { StartOrder } from './messages.js';
import { PrimaryChannel } from './primary-channel.js';

/** Runs a worker. The primary process reports what prevents its start. */
export async function runWorker(
  settings: Settings,
  extensions: AppExtensions,
  shutdown: Shutdown,
): Promise<void> {
  // A terminal sends these signals to every process of the instance. The primary process decides.
  shutdown.insteadOn('SIGINT', () => undefined);
  shutdown.insteadOn('SIGHUP', () => undefined);
  const primary = new PrimaryChannel();
  primary.onStop = () => (shutdown.isUnderWay ? undefined : void shutdown.run(0));
  try {
    await serve(await primary.order, { primary, settings, extensions, shutdown });
  } catch (error) {
    if (!shutdown.isUnderWay) {
      await primary.send({ kind: 'failed', message: messageFor(error) });
      await shutdown.run(1);
    }
  }
}

interface Start {
  readonly primary: PrimaryChannel;
  readonly settings: Settings;
  readonly extensions: AppExtensions;
  readonly shutdown: Shutdown;
}

async function serve(
  order: StartOrder,
  { primary, settings, extensions, shutdown }: Start,
): Promise<void> {
  const app = await createApp(settingsOfWorker(settings, order), extensions);
  shutdown.add(() => app.close());
  const metrics = app.get(MetricsRegistry);
  metrics.setDefaultLabels({ worker: String(order.number) });
  metrics.scrape = async () => mergedMetrics(await primary.metricsOfAll());
  primary.readMetrics = async () => metrics.snapshot();
  const listen = async (): Promise<void> => {
    await app.listen(settings.http.port, (await lookup(settings.http.host)).address);
    const server = app.getHttpAdapter().getInstance();
    primary.onLeave = () => void leavePorts(server).then(primary.onStop);
    await primary.send({ kind: 'listening' });
  };
  if (order.opensPortsAtOnce) {
    await listen();
    await untilReady(app);
  } else {
    await app.init();
    await untilReady(app);
    await listen();
  }
  await primary.send({ kind: 'ready', facts: await readyFacts(app, settings) });
}

function settingsOfWorker(settings: Settings, { number, cluster }: StartOrder): AppSettings {
  const { keyPrefix, requireReplica, nodes = [], ...connection } = settings.redis;
  return {
    ...settings,
    worker: number,
    redis: cluster
      ? {
          keyPrefix,
          requireReplica,
          nodes: cluster.nodes,
          password: new Secret(cluster.password),
        }
      : { ...connection, keyPrefix, requireReplica, nodes },
  };
}
