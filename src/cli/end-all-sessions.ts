import { NestFactory } from '@nestjs/core';

import { AppModule, type AppSettings } from '../app.module.js';
import { withTimeout } from '../common/deadline/index.js';
import { loadSettings, SettingsError } from '../config/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { NearCache } from '../near-cache/index.js';
import { MissingRightError, RedisUnavailableError } from '../redis-cluster/index.js';
import { AllSessions, type AllSessionsEnded } from '../sessions/index.js';
import { CommandError, requireNodes } from './cluster-nodes.js';

const CONNECT_TIMEOUT_MS = 30_000;
const PROGRESS_INTERVAL_MS = 10_000;
const MAX_USERS_LISTED = 10;

const OPERATOR_ERRORS = [CommandError, MissingRightError, RedisUnavailableError, SettingsError];

/** Ends every session of every user, and prints the number of users. Exit code 1 if it failed for any user. */
export async function endAllSessions(): Promise<void> {
  try {
    report(await run(settingsOfCluster()));
  } catch (error) {
    const { message, stack } = error as Error;
    const isForOperator = OPERATOR_ERRORS.some((type) => error instanceof type);
    process.stderr.write(`${isForOperator ? message : (stack ?? message)}\n`);
    process.exitCode = 1;
  }
}

function settingsOfCluster(): AppSettings {
  const settings = loadSettings();
  return { ...settings, redis: { ...settings.redis, ...requireNodes(settings) } };
}

async function run(settings: AppSettings): Promise<AllSessionsEnded> {
  const context = await NestFactory.createApplicationContext(AppModule.forRoot(settings), {
    logger: new NestLogger(createLogs(settings.logLevel).logger),
    abortOnError: false,
  });
  try {
    // Joins as an instance, so that the others acknowledge its invalidations without delay.
    await withTimeout(CONNECT_TIMEOUT_MS, context.get(NearCache).untilTrusted(), {
      onTimeout: () =>
        new CommandError(
          'Redis cannot be reached, refuses this user, or confirms no writes. Nothing was changed.',
        ),
    });
    let reportedAt = performance.now();
    return await context.get(AllSessions).end(({ users, of }) => {
      if (performance.now() - reportedAt > PROGRESS_INTERVAL_MS) {
        reportedAt = performance.now();
        process.stderr.write(`${users} of ${of} users …\n`);
      }
    });
  } finally {
    await context.close();
  }
}

function report({ users, failures, isComplete }: AllSessionsEnded): void {
  process.stdout.write(`Ended every session of ${users} users.\n`);
  const [reason] = failures.values();
  if (!reason) {
    return;
  }
  const named = [...failures.keys()].slice(0, MAX_USERS_LISTED);
  const others = failures.size > named.length ? ', …' : '';
  const lines = [
    `It failed for ${failures.size} users (${reason.message}): ${named.join(', ')}${others}`,
    ...(isComplete ? [] : ['The command was aborted. The other users were skipped.']),
    'Some sessions may still be valid. Run the command again.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
