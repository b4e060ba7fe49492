import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppModule } from '../app.module.js';
import { withTimeout } from '../common/deadline/index.js';
import { OperatorError } from '../common/operator-error/index.js';
import { loadSettings, SettingsError } from '../config/index.js';
import { createLogs, NestLogger } from '../logging/index.js';
import { NearCache } from '../near-cache/index.js';
import {
  MissingRightError,
  NotConfirmedError,
  RedisUnavailableError,
} from '../redis-cluster/index.js';
import { CommandError, requireNodes } from './cluster-nodes.js';

const CONNECT_TIMEOUT_MS = 30_000;
/** Errors whose message tells an operator what to do. */
const OPERATOR_ERRORS = [
  CommandError,
  MissingRightError,
  NotConfirmedError,
  OperatorError,
  RedisUnavailableError,
  SettingsError,
];

/**
 * Runs a command with the settings of an instance, in an application that does not listen. It joins the near cache, so that the
 * instances acknowledge its changes without delay. If the command fails, prints why, and sets the exit code to 1.
 *
 * @param hint printed after an error
 */
export async function withApplication(
  work: (application: INestApplicationContext) => Promise<void>,
  hint = '',
): Promise<void> {
  try {
    const settings = loadSettings();
    const redis = { ...settings.redis, ...requireNodes(settings) };
    const application = await NestFactory.createApplicationContext(
      AppModule.forRoot({ ...settings, redis, doesDueWork: false }),
      { logger: new NestLogger(createLogs(settings.logLevel).logger), abortOnError: false },
    );
    try {
      await withTimeout(CONNECT_TIMEOUT_MS, application.get(NearCache).untilTrusted(), {
        onTimeout: () =>
          new CommandError(
            'Redis cannot be reached, refuses this user, or confirms no writes. Nothing was changed.',
          ),
      });
      await work(application);
    } finally {
      await application.close();
    }
  } catch (error) {
    const { message, stack } = error as Error;
    const isForOperator = OPERATOR_ERRORS.some((type) => error instanceof type);
    process.stderr.write(`${isForOperator ? message : (stack ?? message)}\n${hint}`);
    process.exitCode = 1;
  }
}
