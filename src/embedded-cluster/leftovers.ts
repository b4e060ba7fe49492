import { Redis } from 'ioredis';

import { withTimeout } from '../common/deadline/index.js';

/** For a node of ours to reply. Another program on the port may never reply. */
const ANSWER_TIMEOUT_MS = 1000;
const SHUTDOWN_TIMEOUT_MS = 10_000;

/**
 * Stops nodes that a killed process left running. A node is ours when its working directory is our folder. Any other program
 * on the port keeps running.
 */
export async function stopLeftovers(
  nodes: readonly { readonly port: number; readonly folder: string }[],
  password: string,
  username?: string,
): Promise<void> {
  const login = { password, ...(username === undefined ? {} : { username }) };
  await Promise.all(nodes.map(({ port, folder }) => stopLeftover(port, folder, login)));
}

async function stopLeftover(
  port: number,
  folder: string,
  login: { readonly username?: string; readonly password: string },
): Promise<void> {
  const control = new Redis({
    host: '127.0.0.1',
    port,
    ...login,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  control.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => control.once('end', () => resolve()));
  const isOurs = control
    .connect()
    .then(() => control.call('CONFIG', 'GET', 'dir'))
    .then((answer) => Array.isArray(answer) && answer.includes(folder));
  if (await withTimeout(ANSWER_TIMEOUT_MS, isOurs).catch(() => false)) {
    // NOW: do not wait for replicas, which are stopped at the same time.
    control.call('SHUTDOWN', 'NOW').catch(() => undefined);
    await withTimeout(SHUTDOWN_TIMEOUT_MS, gone).catch(() => undefined);
  }
  control.disconnect();
}
