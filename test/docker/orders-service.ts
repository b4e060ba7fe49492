import { cpSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { eventually } from '../support/own-cluster.js';
import { packTarball, run } from '../support/packed-services.js';
import type { Production, Service } from './production.js';

const JOIN_MS = 30_000;

/** Builds docker/services/orders as its Dockerfile does, and starts it. Returns when it has joined the cluster. */
export async function startOrders(production: Production): Promise<Service> {
  const folder = join(production.folder, 'orders');
  cpSync(resolve('docker/services/orders'), folder, { recursive: true });
  renameSync(await packTarball(production.folder), join(folder, 'keyslot.tgz'));
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', ['install', '--ignore-scripts', ...quiet], folder);
  await run('npm', ['run', 'build'], folder);
  await run('npm', ['prune', '--omit=dev', '--ignore-scripts', ...quiet], folder);
  const service = await production.startService('orders', process.execPath, [
    join(folder, 'main.js'),
  ]);
  // Before, it answers 503.
  await eventually('the service has joined the cluster', JOIN_MS, async () => {
    const headers = { authorization: 'Bearer e30.e30.c2ln' };
    return (await fetch(`${service.url}/orders`, { headers })).status === 401;
  });
  return service;
}
