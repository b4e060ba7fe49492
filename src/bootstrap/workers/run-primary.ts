import cluster from 'node:cluster';
import type { Logger } from 'pino';

import { loadSettings, type Settings } from '../../config/index.js';
import { onHangUp } from '../hang-up.js';
import { listeningAddress } from '../listening-address.js';
import { messageFor, printNotices } from '../notices.js';
import { printUrls } from '../ready-message.js';
import { withCluster } from '../redis-nodes.js';
import type { Shutdown } from '../shutdown.js';
import type { StartOrder } from './messages.js';
import { WorkerGroup } from './worker-group.js';

/** Runs the primary process. It serves no requests and does not load the application. */
export async function runPrimary(
  settings: Settings,
  logger: Logger,
  shutdown: Shutdown,
): Promise<void> {
  printNotices(settings);
  await listeningAddress(settings);
  const embedded = await embeddedCluster(settings, shutdown);
  if (shutdown.isUnderWay) {
    return;
  }
  // Not the operating system's choice, which gives most connections to few workers. A connection that a stopping worker does
  // not accept any more goes to another one.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // The default, JSON, has no NaN, which is the value of a metric that is unknown.
  cluster.setupPrimary({ serialization: 'advanced' });
  const group = new WorkerGroup({
    settings,
    cluster: embedded,
    logger,
    giveUp: () => (shutdown.isUnderWay ? undefined : void shutdown.run(1)),
  });
  shutdown.add(async () => group.stop());
  process.once('exit', () => group.kill());
  const started = group.start();
  restartOnHangUp(started, { group, logger, shutdown });
  printUrls(await started);
}

async function embeddedCluster(
  settings: Settings,
  shutdown: Shutdown,
): Promise<StartOrder['cluster']> {
  if (settings.redis.nodes) {
    return undefined;
  }
  const { redis } = await withCluster(settings, shutdown);
  return { nodes: redis.nodes, password: redis.password!.reveal() };
}

interface Restart {
  readonly group: WorkerGroup;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

/**
 * On SIGHUP, restarts the workers. A signal during a restart causes one more, at once if a new worker is not ready: with wrong
 * settings it may never be.
 */
function restartOnHangUp(started: Promise<unknown>, options: Restart): void {
  const { group, shutdown } = options;
  let isRestarting = true;
  let isRequested = false;
  const restartWhileRequested = async (): Promise<void> => {
    isRestarting = true;
    while (isRequested && !shutdown.isUnderWay) {
      isRequested = false;
      await restart(options);
    }
    isRestarting = false;
  };
  onHangUp(shutdown, () => {
    isRequested = true;
    if (isRestarting) {
      group.cancelRenewal();
    } else {
      void restartWhileRequested();
    }
  });
  started.then(restartWhileRequested, () => undefined);
}

async function restart({ group, logger, shutdown }: Restart): Promise<void> {
  logger.info('restarting the workers');
  let failure: unknown;
  try {
    // Checks the settings that the new workers will read, before the first old one stops.
    loadSettings();
    await group.renew();
  } catch (error) {
    failure = error;
  }
  if (shutdown.isUnderWay) {
    logger.info('the restart of the workers was interrupted');
  } else if (failure === undefined) {
    logger.info('all workers were restarted');
  } else {
    logger.error(
      { reason: messageFor(failure) },
      'A worker could not be restarted. Those that have not been replaced continue.',
    );
  }
}
