import { NestFactory } from '@nestjs/core';

import { AppModule, type AppSettings } from '../app.module.js';
import { withTimeout } from '../common/deadline/index.js';
import { loadSettings, SettingsError } from '../config/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { NearCache } from '../near-cache/index.js';
import { MissingRightError, RedisUnavailableError } from '../redis-cluster/index.js';
import { AllSessions, type AllSessionsEnded } from '../sessions/index.js';

const CONNECT_TIMEOUT_MS = 30_000;
const TELL_PROGRESS_EVERY_MS = 10_000;
const MAX_USERS_NAMED = 10;

/** Something that the operator can mend. */
class CommandError extends Error {}

const FOR_OPERATORS = [CommandError, MissingRightError, RedisUnavailableError, SettingsError];

/** Ends every session of every user, and says how many users there were. Exit code 1 when some could not be done. */
export async function endAllSessions(): Promise<void> {
  try {
    report(await run(settingsOfCluster()));
  } catch (error) {
    const { message, stack } = error as Error;
    const isForOperator = FOR_OPERATORS.some((type) => error instanceof type);
    process.stderr.write(`${isForOperator ? message : (stack ?? message)}\n`);
    process.exitCode = 1;
  }
}

function settingsOfCluster(): AppSettings {
  const settings = loadSettings();
  const { nodes } = settings.redis;
  if (!nodes) {
    throw new CommandError(
      'REDIS_NODES is needed: nodes of the cluster. For the one of npm start: REDIS_NODES=127.0.0.1:7000 ' +
        `REDIS_PASSWORD="$(cat '${settings.dataDirectory}/cluster/password')"`,
    );
  }
  return { ...settings, redis: { ...settings.redis, nodes } };
}

async function run(settings: AppSettings): Promise<AllSessionsEnded> {
  const context = await NestFactory.createApplicationContext(AppModule.forRoot(settings), {
    logger: new NestLogger(createLogs(settings.logLevel).logger),
    abortOnError: false,
  });
  try {
    // As one of the instances: then they answer at once to what this one changes.
    await withTimeout(CONNECT_TIMEOUT_MS, context.get(NearCache).untilTrusted(), {
      onTimeout: () =>
        new CommandError(
          'Redis cannot be reached, does not let this user in, or has a master without a replica. Nothing was done.',
        ),
    });
    let toldAt = performance.now();
    return await context.get(AllSessions).end(({ users, of }) => {
      if (performance.now() - toldAt > TELL_PROGRESS_EVERY_MS) {
        toldAt = performance.now();
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
  const named = [...failures.keys()].slice(0, MAX_USERS_NAMED);
  const others = failures.size > named.length ? ', …' : '';
  const lines = [
    `${failures.size} users could not be done (${reason.message}): ${named.join(', ')}${others}`,
    ...(isComplete ? [] : ['The others were not tried any more.']),
    'Some of their sessions may go on. Run the command again.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
