import type { AppExtensions } from '../app.module.js';
import { loadSettings } from '../config/index.js';
import { createLogs } from '../logging/index.js';
import { onHangUp } from './hang-up.js';
import { messageFor, printNotices } from './notices.js';
import { Shutdown } from './shutdown.js';

/**
 * Starts one instance with the settings of the environment, and stops it on a signal. Without `REDIS_NODES` it also runs the
 * embedded cluster. A `main.ts` needs only this call. With `WORKERS` above 1, each worker is a process that runs this
 * `main.ts` as well.
 */
export async function run(extensions: AppExtensions = {}): Promise<void> {
  const shutdown = new Shutdown();
  try {
    const settings = loadSettings();
    // Imported lazily: the process that starts the workers does not load the application, and a single process no workers.
    if (settings.workers > 1) {
      const { runWithWorkers } = await import('./workers/run-with-workers.js');
      await runWithWorkers(settings, extensions, shutdown);
    } else {
      onHangUp(shutdown, () =>
        createLogs(settings.logLevel).logger.warn(
          'SIGHUP was ignored: a single worker cannot be replaced while it serves. Start the instance again to change its settings.',
        ),
      );
      printNotices(settings);
      const { runInstance } = await import('./instance.js');
      await runInstance(settings, extensions, shutdown);
    }
  } catch (error) {
    if (!shutdown.isUnderWay) {
      process.stderr.write(`${messageFor(error)}\n`);
      await shutdown.run(1);
    }
  }
}
