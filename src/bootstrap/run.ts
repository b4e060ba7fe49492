import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';

import type { AppExtensions, AppSettings } from '../app.module.js';
import { loadSettings, SettingsError, type Settings } from '../config/index.js';
import { EmbeddedCluster, EmbeddedClusterError } from '../embedded-cluster/index.js';
import { KeyDecryptionError } from '../keys/index.js';
import { BootstrapAdministratorError } from '../users/index.js';
import { createApp } from './create-app.js';
import { globalPrefix } from './global-prefix.js';
import { untilReady } from './until-ready.js';
import { Shutdown } from './shutdown.js';

/**
 * Starts one instance with the settings of the environment, and stops it on a signal. Without `REDIS_NODES` it also runs the
 * embedded cluster. A `main.ts` needs only this call.
 */
export async function run(extensions: AppExtensions = {}): Promise<void> {
  const shutdown = new Shutdown();
  try {
    const settings = loadSettings();
    for (const text of [...settings.warnings, ...settings.hints]) {
      process.stderr.write(`${text}\n`);
    }
    const address = await listeningAddress(settings);
    const app = await createApp(await withCluster(settings, shutdown), extensions);
    shutdown.add(() => app.close());
    if (shutdown.isUnderWay) {
      return;
    }
    await app.listen(settings.http.port, address);
    await untilReady(app);
    if (shutdown.isUnderWay) {
      return;
    }
    await printUrls(app, settings);
  } catch (error) {
    if (!shutdown.isUnderWay) {
      process.stderr.write(`${messageFor(error)}\n`);
      await shutdown.run(1);
    }
  }
}

interface Listener {
  readonly label: string;
  readonly hostName: 'HOST' | 'MANAGEMENT_HOST';
  readonly portName: 'PORT' | 'MANAGEMENT_PORT';
  readonly host: string;
  readonly port: number;
}

/**
 * Checks that the instance can listen on its ports, before the embedded cluster starts.
 *
 * @returns one address for the API. For a host name with two addresses, Fastify would create a second server without Keyslot's
 * connection limits
 * @throws SettingsError
 */
async function listeningAddress({ http, management }: Settings): Promise<string> {
  const api: Listener = { label: 'The API', hostName: 'HOST', portName: 'PORT', ...http };
  const monitoring: Listener | undefined = management && {
    label: 'The management',
    hostName: 'MANAGEMENT_HOST',
    portName: 'MANAGEMENT_PORT',
    ...management,
  };
  const listeners = monitoring ? [api, monitoring] : [api];
  const mistakes: string[] = [];
  const addresses: string[] = [];
  for (const listener of listeners) {
    try {
      const { address } = await lookup(listener.host);
      addresses.push(address);
      await tryToListen(listener.port, address);
    } catch (error) {
      mistakes.push(listeningMistake(listener, error as NodeJS.ErrnoException));
    }
  }
  if (mistakes.length > 0) {
    throw new SettingsError(mistakes);
  }
  return addresses[0]!;
}

async function tryToListen(port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, address, () => server.close(() => resolve()));
  });
}

function listeningMistake(
  { label, hostName, portName }: Listener,
  { code, message }: NodeJS.ErrnoException,
): string {
  if (code === 'EADDRINUSE') {
    return `${label} port is in use by another program (${message}). Set ${portName} to a free port.`;
  }
  return code === 'EACCES' || code === 'EPERM'
    ? `${portName} needs privileges that this process does not have. Set it to 1024 or more.`
    : `${hostName} must be a name or an address of this machine (${code}).`;
}

async function withCluster(settings: Settings, shutdown: Shutdown): Promise<AppSettings> {
  const { nodes } = settings.redis;
  if (nodes) {
    return { ...settings, redis: { ...settings.redis, nodes } };
  }
  process.stdout.write('Starting the embedded Redis Cluster (six nodes) …\n');
  const starting = EmbeddedCluster.start({ directory: `${settings.dataDirectory}/cluster` });
  shutdown.addStarting(starting);
  const { addresses, password } = await starting;
  return {
    ...settings,
    redis: {
      keyPrefix: settings.redis.keyPrefix,
      requireReplica: settings.redis.requireReplica,
      nodes: addresses,
      password,
    },
  };
}

async function printUrls(app: NestFastifyApplication, { hasApiDocs }: Settings): Promise<void> {
  const url = await app.getUrl();
  const docs = hasApiDocs ? [`  Swagger UI  ${url}/docs`] : [];
  process.stdout.write(
    ['', 'Keyslot is ready.', `  API         ${url}${globalPrefix(app)}/api`, ...docs, '', ''].join(
      '\n',
    ),
  );
}

/** @returns the message of an error that the operator can fix; for other errors the stack */
function messageFor(error: unknown): string {
  if (
    error instanceof SettingsError ||
    error instanceof EmbeddedClusterError ||
    error instanceof KeyDecryptionError ||
    error instanceof BootstrapAdministratorError
  ) {
    return error.message;
  }
  const { message, stack } = error as Error;
  return stack ?? message;
}
