import { spawn } from 'node:child_process';
import { EmbeddedCluster } from '../../dist/embedded-cluster/index.js';
import { loadSettings } from '../../dist/config/index.js';

/**
 * The application, built and started anew on each change. The cluster is kept by this process, so that a change costs a
 * second and not a new cluster.
 */
export async function runDev({ needsCluster }) {
  const directory = `${loadSettings().dataDirectory}/cluster`;
  const cluster = needsCluster ? await EmbeddedCluster.start({ directory }) : undefined;
  const env = cluster
    ? {
        ...process.env,
        REDIS_NODES: cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
        REDIS_PASSWORD: cluster.password.reveal(),
      }
    : process.env;
  const watcher = spawn(
    process.execPath,
    ['node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch', '--preserveWatchOutput'],
    { env, stdio: 'inherit', detached: true },
  );
  // The watcher and the application it runs are one process group, ended together.
  const stop = () => {
    try {
      process.kill(-watcher.pid, 'SIGTERM');
    } catch {
      // gone already
    }
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await new Promise((resolve) => watcher.once('exit', resolve));
  await cluster?.stop();
}
