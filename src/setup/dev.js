import { spawn } from 'node:child_process';

import { Shutdown } from '../../dist/bootstrap/shutdown.js';
import { loadSettings, SettingsError } from '../../dist/config/index.js';
import { EmbeddedCluster, EmbeddedClusterError } from '../../dist/embedded-cluster/index.js';
import { SetUpError } from './prerequisites.js';

/** Rebuilds and restarts the application on each change. The cluster runs in this process, so it survives the restarts. */
export async function runDev({ needsCluster }) {
  const shutdown = new Shutdown();
  const env = needsCluster ? await startCluster(shutdown) : process.env;
  const watcher = spawn(
    process.execPath,
    ['node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch', '--preserveWatchOutput'],
    { env, stdio: 'inherit', detached: true },
  );
  const ended = new Promise((resolve) => watcher.once('exit', resolve));
  shutdown.add(() => {
    try {
      // The watcher and the application it runs are one process group.
      process.kill(-watcher.pid, 'SIGTERM');
    } catch {
      // the process has already exited
    }
    return ended;
  });
  await ended;
  if (!shutdown.isUnderWay) {
    await shutdown.run(1);
  }
}

async function startCluster(shutdown) {
  try {
    const directory = `${loadSettings().dataDirectory}/cluster`;
    const starting = EmbeddedCluster.start({ directory });
    shutdown.addStarting(starting);
    const cluster = await starting;
    return {
      ...process.env,
      REDIS_NODES: cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
      REDIS_PASSWORD: cluster.password.reveal(),
    };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof EmbeddedClusterError) {
      throw new SetUpError(error.message);
    }
    throw error;
  }
}
