import cluster from 'node:cluster';

import type { AppExtensions } from '../../app.module.js';
import type { Settings } from '../../config/index.js';
import { createLogs } from '../../logging/index.js';
import { onHangUp } from '../hang-up.js';
import type { Shutdown } from '../shutdown.js';

/**
 * Runs an instance with several workers. The process that the operator starts is the primary process: it opens the ports,
 * passes connections to the workers in turn, and replaces workers. Each worker is an application of its own.
 */
export async function runWithWorkers(
  settings: Settings,
  extensions: AppExtensions,
  shutdown: Shutdown,
): Promise<void> {
  if (cluster.isPrimary) {
    const { logger } = createLogs(settings.logLevel);
    onHangUp(shutdown, () =>
      logger.warn(
        'SIGHUP was ignored: the workers have not started yet. They read the settings when they start.',
      ),
    );
    const { runPrimary } = await import('./run-primary.js');
    await runPrimary(settings, logger, shutdown);
  } else {
    const { runWorker } = await import('./run-worker.js');
    await runWorker(settings, extensions, shutdown);
  }
}
