import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';

import { ADMINISTRATOR } from '../common/authentication/index.js';
import { Deadline } from '../common/deadline/index.js';
import { OperatorError } from '../common/operator-error/index.js';
import { Origin } from '../common/origin/index.js';
import { ruleText } from '../common/problem/index.js';
import { retryUntilDone } from '../common/retry/index.js';
import { HashingOverloadedError } from '../credentials/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';
import { UserStoreUnavailableError } from './store/user-store.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { findByUsername } from './find-by-username.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';
import { Registrations, type RegistrationFailures } from './registrations.js';

/** Longer than the lifetime of the claim of an interrupted registration. */
const MAX_CLAIM_MS = 20_000;
/** Long, because many passwords may wait to be hashed. */
const TRY_TIMEOUT_MS = 30_000;
/** Failures after which a new attempt may succeed. */
const TRANSIENT = [
  NotConfirmedError,
  RedisUnavailableError,
  UserStoreUnavailableError,
  HashingOverloadedError,
];

/** The first administrator cannot be created as configured. The message is for the operator. */
export class BootstrapAdministratorError extends OperatorError {
  override readonly name = 'BootstrapAdministratorError';
}

/** Creates the first administrator, who can then give the role to others. */
@Injectable()
export class BootstrapAdministrator implements BeforeApplicationShutdown {
  private readonly logger = new Logger(BootstrapAdministrator.name);
  private readonly closing = new AbortController();

  private isDone: boolean;

  constructor(
    private readonly registrations: Registrations,
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {
    this.isDone = options.administrator === undefined;
  }

  /** Whether the configured administrator does not exist yet. Until it does, requests get 503. */
  get isPending(): boolean {
    return !this.isDone;
  }

  /**
   * Retries while Redis is unavailable, until a user with the configured name exists or the application closes. It does not
   * change an existing user, and logs an error if that user is not an enabled administrator.
   *
   * @throws BootstrapAdministratorError
   */
  async ensureCreated(): Promise<void> {
    const { administrator } = this.options;
    if (!administrator) {
      return;
    }
    const begin = performance.now();
    const attempt = async (): Promise<boolean> => {
      // An interrupted registration keeps its claim of the name for a while.
      const isTaken = performance.now() - begin > MAX_CLAIM_MS;
      this.isDone = await this.findOrCreate(administrator, isTaken);
      return this.isDone;
    };
    await retryUntilDone(attempt, {
      isTransient: (error) => TRANSIENT.some((type) => error instanceof type),
      signal: this.closing.signal,
    });
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  /** @param isTaken whether to give up on a name that cannot be registered although the look-up finds no user */
  private async findOrCreate(
    administrator: NonNullable<UsersOptions['administrator']>,
    isTaken: boolean,
  ): Promise<boolean> {
    const deadline = Deadline.after(TRY_TIMEOUT_MS);
    const found = await findByUsername(this.accounts, administrator.username, deadline);
    // Like a login, this completes an interrupted registration.
    const user = found && (await this.accounts.prepareLogin(found, deadline));
    if (user) {
      this.report(user.roles.includes(ADMINISTRATOR), user.isDisabled);
      return true;
    }
    const result = await this.registrations.registerAdministrator(
      administrator,
      Origin.system,
      deadline,
    );
    if (result.outcome === 'refused') {
      throw refusal(result.failures);
    }
    const { outcome } = result;
    if (outcome === 'registered') {
      this.logger.log('The administrator of BOOTSTRAP_ADMIN_USERNAME was created.');
    } else if (isTaken) {
      this.report(false, false);
    }
    return outcome === 'registered' || isTaken;
  }

  private report(isAdministrator: boolean, isDisabled: boolean): void {
    if (isAdministrator && !isDisabled) {
      this.logger.log(
        'The administrator of BOOTSTRAP_ADMIN_USERNAME already exists. It was not changed.',
      );
      return;
    }
    const why = isAdministrator ? 'is disabled' : 'is not an administrator';
    this.logger.error(
      `No administrator was created: the name in BOOTSTRAP_ADMIN_USERNAME, or a name that counts as equal, belongs to a user who ` +
        `${why}. Keyslot did not change this user or its password. If you do not know this user, set ` +
        'BOOTSTRAP_ADMIN_USERNAME to another name and restart. The new administrator can then delete this user, ' +
        'or give it the role.',
    );
  }
}

function refusal({ username, password }: RegistrationFailures): BootstrapAdministratorError {
  const failures = Object.entries({
    BOOTSTRAP_ADMIN_USERNAME: username,
    BOOTSTRAP_ADMIN_PASSWORD: password,
  }).flatMap(([name, failure]) =>
    failure ? [`  ${name} is refused (${failure.code}): ${ruleText(failure, 'en')}`] : [],
  );
  return new BootstrapAdministratorError(
    ['The first administrator cannot be created:', ...failures].join('\n'),
  );
}
