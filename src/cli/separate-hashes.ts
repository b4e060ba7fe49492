import { NestFactory } from '@nestjs/core';

import { AppModule } from '../app.module.js';
import { withTimeout } from '../common/deadline/index.js';
import { loadSettings, SettingsError } from '../config/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { NearCache } from '../near-cache/index.js';
import {
  MissingRightError,
  NotConfirmedError,
  RedisUnavailableError,
} from '../redis-cluster/index.js';
import { SeparateHashes, type SeparatedHashes } from '../users/index.js';
import { CommandError, requireNodes } from './cluster-nodes.js';

const CONNECT_TIMEOUT_MS = 30_000;
const OPERATOR_ERRORS = [
  CommandError,
  MissingRightError,
  NotConfirmedError,
  RedisUnavailableError,
  SettingsError,
];

/** Moves and deletes password hashes of earlier versions, and prints the numbers of users. Exit code 1 if it failed. */
export async function separateHashes(): Promise<void> {
  try {
    const { moved, deleted } = await run();
    process.stdout.write(
      `Moved the password hashes of ${moved} users. Deleted those of ${deleted} users who do not exist any more.\n`,
    );
  } catch (error) {
    const { message, stack } = error as Error;
    const isForOperator = OPERATOR_ERRORS.some((type) => error instanceof type);
    process.stderr.write(
      `${isForOperator ? message : (stack ?? message)}\nRun the command again.\n`,
    );
    process.exitCode = 1;
  }
}

async function run(): Promise<SeparatedHashes> {
  const settings = loadSettings();
  const redis = { ...settings.redis, ...requireNodes(settings) };
  const context = await NestFactory.createApplicationContext(
    AppModule.forRoot({ ...settings, redis }),
    { logger: new NestLogger(createLogs(settings.logLevel).logger), abortOnError: false },
  );
  try {
    await withTimeout(CONNECT_TIMEOUT_MS, context.get(NearCache).untilTrusted(), {
      onTimeout: () =>
        new CommandError(
          'Redis cannot be reached, refuses this user, or confirms no writes. Nothing was changed.',
        ),
    });
    return await context.get(SeparateHashes).run();
  } finally {
    await context.close();
  }
}
