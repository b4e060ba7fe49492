import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomUUID } from 'node:crypto';

import type { AppSettings } from '../../src/app.module.js';
import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { loadSettings } from '../../src/config/index.js';
import { HttpClient } from './http-client.js';

export interface TestApp extends HttpClient {
  readonly app: NestFastifyApplication;
  readonly settings: AppSettings;
  readonly keyPrefix: string;
  close(): Promise<void>;
}

/** A whole application on the test cluster, listening on a free port, with keys of its own. */
export async function startTestApp(
  variables: Record<string, string | undefined> = {},
): Promise<TestApp> {
  const keyPrefix = `t-${randomUUID().slice(0, 8)}:`;
  const settings = testSettings({ REDIS_KEY_PREFIX: keyPrefix, ...variables });
  const app = await createApp(settings);
  await app.listen(0, '127.0.0.1');
  await untilReady(app);
  const url = await app.getUrl();
  return Object.assign(new HttpClient(url), {
    app,
    settings,
    keyPrefix,
    close: () => app.close(),
  });
}

/** Settings from these variables alone, on the test cluster unless they name another. */
export function testSettings(variables: Record<string, string | undefined>): AppSettings {
  const settings = loadSettings(testVariables(variables), 'no-such-file');
  const { nodes } = settings.redis;
  if (!nodes) {
    throw new Error('the test cluster is not running');
  }
  return { ...settings, redis: { ...settings.redis, nodes } };
}

/** The environment of an instance on the test cluster: what these variables say, over what all tests share. */
export function testVariables(
  variables: Record<string, string | undefined>,
): Record<string, string | undefined> {
  return {
    REDIS_NODES: process.env['TEST_REDIS_NODES'],
    REDIS_PASSWORD: process.env['TEST_REDIS_PASSWORD'],
    KEY_ENCRYPTION_SECRET: 'a secret that only the tests know about',
    JWT_ISSUER: 'https://keyslot.test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    ...variables,
  };
}
