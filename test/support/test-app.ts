import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomUUID } from 'node:crypto';

import type { AppExtensions, AppSettings } from '../../src/app.module.js';
import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { loadSettings } from '../../src/config/index.js';
import { Argon2PasswordHasher } from '../../src/users/index.js';
import { CHEAP_HASHING } from './cheap-hashing.js';
import { HttpClient } from './http-client.js';
import { eventually } from './own-cluster.js';
import { testVariables } from './test-variables.js';

export interface TestApp extends HttpClient {
  readonly app: NestFastifyApplication;
  readonly settings: AppSettings;
  readonly keyPrefix: string;
  close(): Promise<void>;
}

/**
 * Starts a complete application on the test cluster, on a free port and with a separate key prefix. Passwords get cheap hashes,
 * because the others would need about a fifth of the processor time of the API tests.
 */
export async function startTestApp(
  variables: Record<string, string | undefined> = {},
  extensions: AppExtensions = {},
): Promise<TestApp> {
  return startShippedApp(variables, {
    passwordHasher: { useValue: new Argon2PasswordHasher(CHEAP_HASHING) },
    ...extensions,
  });
}

/** Like `startTestApp`, with the password hashing that Keyslot ships, for tests of it. */
export async function startShippedApp(
  variables: Record<string, string | undefined> = {},
  extensions: AppExtensions = {},
): Promise<TestApp> {
  const keyPrefix = `t-${randomUUID().slice(0, 8)}:`;
  const settings = testSettings({ REDIS_KEY_PREFIX: keyPrefix, ...variables });
  const app = await createApp(settings, extensions);
  try {
    await app.listen(0, '127.0.0.1');
    await untilReady(app);
    await untilNotOverloaded(app);
  } catch (error) {
    // Open connections would keep the runner alive.
    await app.close();
    throw error;
  }
  const url = await app.getUrl();
  return Object.assign(new HttpClient(url), {
    app,
    settings,
    keyPrefix,
    close: () => app.close(),
  });
}

/**
 * Waits until the application accepts requests. It shares its event loop with the runner, and sheds load while the runner loads
 * modules.
 */
async function untilNotOverloaded(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpAdapter().getInstance();
  await eventually('the event loop is calm', 30_000, () =>
    Promise.resolve(!server.isUnderPressure()),
  );
}

/** Settings from these variables only. They use the test cluster, unless the variables name another one. */
export function testSettings(variables: Record<string, string | undefined>): AppSettings {
  const settings = loadSettings(testVariables(variables), 'no-such-file');
  const { nodes } = settings.redis;
  if (!nodes) {
    throw new Error('the test cluster is not running');
  }
  return { ...settings, redis: { ...settings.redis, nodes } };
}
