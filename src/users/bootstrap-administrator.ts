import { Inject, Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { Deadline } from '../common/deadline/index.js';
import { Origin } from '../common/origin/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';
import { HashingOverloadedError } from './passwords/hashing-queue.js';
import { UserStoreUnavailableError } from './store/user-store.js';
import { ADMINISTRATOR } from './roles.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { UsersService, type RegistrationFailures } from './users.service.js';

const PAUSE_BETWEEN_TRIES_MS = 500;
/** Many passwords may wait to be hashed. */
const LONGEST_TRY_MS = 30_000;
/** What passes by itself. */
const PASSING = [
  NotConfirmedError,
  RedisUnavailableError,
  UserStoreUnavailableError,
  HashingOverloadedError,
];

/** The first administrator cannot be made as it was configured. The message is meant for the operator. */
export class BootstrapAdministratorError extends Error {
  override readonly name = 'BootstrapAdministratorError';
}

/** Makes the first administrator, who can then give the role to others. */
@Injectable()
export class BootstrapAdministrator {
  private readonly logger = new Logger(BootstrapAdministrator.name);

  constructor(
    private readonly users: UsersService,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /**
   * Until a user of the configured name is there, however long Redis takes. One that is there already stays as it is.
   *
   * @throws BootstrapAdministratorError
   */
  async untilThere(): Promise<void> {
    const { administrator } = this.options;
    if (!administrator) {
      return;
    }
    for (;;) {
      try {
        const result = await this.users.register(
          { ...administrator, roles: [ADMINISTRATOR] },
          Origin.system,
          Deadline.after(LONGEST_TRY_MS),
        );
        if (result.outcome === 'refused') {
          throw refusal(result.failures);
        }
        this.logger.log(
          result.outcome === 'registered'
            ? 'The first administrator was made.'
            : 'A user with the name of the first administrator is there, and stays as it is.',
        );
        return;
      } catch (error) {
        if (!PASSING.some((type) => error instanceof type)) {
          throw error;
        }
        await delay(PAUSE_BETWEEN_TRIES_MS);
      }
    }
  }
}

function refusal({ username, password }: RegistrationFailures): BootstrapAdministratorError {
  const failures = Object.entries({
    BOOTSTRAP_ADMIN_USERNAME: username,
    BOOTSTRAP_ADMIN_PASSWORD: password,
  }).flatMap(([name, failure]) => (failure ? [`  ${name} is refused: ${failure.code}`] : []));
  return new BootstrapAdministratorError(
    ['The first administrator cannot be made:', ...failures].join('\n'),
  );
}
