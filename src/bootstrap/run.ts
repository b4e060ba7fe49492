import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';

import type { AppExtensions, AppSettings } from '../app.module.js';
import { UnknownPermissionError } from '../auth/index.js';
import { loadSettings, SettingsError, type Settings } from '../config/index.js';
import { EmbeddedCluster, EmbeddedClusterError } from '../embedded-cluster/index.js';
import { KeyDecryptionError } from '../keys/index.js';
import { BootstrapAdministratorError } from '../users/index.js';
import { createApp } from './create-app.js';
import { untilReady } from './until-ready.js';
import { Shutdown } from './shutdown.js';

/**
 * Starts one instance with the settings of the environment, on the embedded cluster when no other is named, and stops all
 * of it on a signal. It is all that a `main.ts` has to do.
 */
export async function run(extensions: AppExtensions = {}): Promise<void> {
  const shutdown = new Shutdown();
  try {
    const settings = loadSettings();
    warnOfGeneratedSecret(settings);
    settings.hints.forEach((hint) => process.stderr.write(`${hint}\n`));
    // One address: for a name with two, Fastify would listen with a second server, which has none of what we add to the first.
    const { address } = await lookup(settings.http.host);
    await refuseBusyPort({ name: 'PORT', port: settings.http.port, address });
    if (settings.management) {
      const { host, port } = settings.management;
      await refuseBusyPort({ name: 'MANAGEMENT_PORT', port, address: host });
    }
    const app = await createApp(await withCluster(settings, shutdown), extensions);
    shutdown.add(() => app.close());
    if (shutdown.isUnderWay) {
      return;
    }
    await app.listen(settings.http.port, address);
    await untilReady(app);
    await announce(app, settings);
  } catch (error) {
    if (!shutdown.isUnderWay) {
      process.stderr.write(`${describe(error)}\n`);
      await shutdown.run(1);
    }
  }
}

function warnOfGeneratedSecret({ isProduction, jwt, dataDirectory }: Settings): void {
  if (isProduction && jwt.isSecretGenerated) {
    process.stderr.write(
      `KEY_ENCRYPTION_SECRET is not set. The one in ${dataDirectory} is used: without that file, or on another machine, ` +
        'no instance can start on this cluster again.\n',
    );
  }
}

class BusyPortError extends Error {}

/** Before the cluster is started for nothing. */
async function refuseBusyPort(listener: {
  readonly name: 'PORT' | 'MANAGEMENT_PORT';
  readonly port: number;
  readonly address: string;
}): Promise<void> {
  const { name, port, address } = listener;
  await new Promise<void>((resolve, reject) => {
    const server = createServer().once('error', (error: NodeJS.ErrnoException) => {
      const whose = name === 'PORT' ? "The API's" : 'The management';
      const message = `${whose} port is in use by another program (${error.message}). Set ${name} to another one.`;
      reject(error.code === 'EADDRINUSE' ? new BusyPortError(message) : error);
    });
    server.listen(port, address, () => server.close(() => resolve()));
  });
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
    // Its masters have one replica each.
    redis: {
      keyPrefix: settings.redis.keyPrefix,
      nodes: addresses,
      password,
      confirmingReplicas: 1,
    },
  };
}

async function announce(app: NestFastifyApplication, { hasApiDocs }: Settings): Promise<void> {
  const url = await app.getUrl();
  const docs = hasApiDocs ? [`  Swagger UI  ${url}/docs`] : [];
  process.stdout.write(
    ['', 'Keyslot is ready.', `  API         ${url}/api`, ...docs, '', ''].join('\n'),
  );
}

/** What the person at the terminal needs: a message for what they can mend, a stack for what they cannot. */
function describe(error: unknown): string {
  if (
    error instanceof SettingsError ||
    error instanceof EmbeddedClusterError ||
    error instanceof KeyDecryptionError ||
    error instanceof BootstrapAdministratorError ||
    error instanceof UnknownPermissionError ||
    error instanceof BusyPortError
  ) {
    return error.message;
  }
  const { message, stack } = error as Error;
  return stack ?? message;
}
