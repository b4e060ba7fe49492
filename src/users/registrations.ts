import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import { ADMINISTRATOR } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import {
  areSameName,
  canonicalUsername,
  checkUsername,
  digestOfKey,
  displayedUsername,
} from './names/username.js';
import { strangerOf, type Caller } from './passwords/caller.js';
import { HashingQueue } from './passwords/hashing-queue.js';
import { PasswordRules } from './passwords/password-rules.js';
import { recordThrottling } from './passwords/throttled-attempts.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { hasFormerOwner } from './find-by-username.js';
import type { Registration, User } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';

/**
 * Every registration counts when it begins, also one for a name that is taken: a user is stored for good, and a taken name
 * tells that somebody has it. Many people may share an address.
 */
const REGISTRATIONS_PER_ADDRESS: FailureLimit = {
  name: 'registration-address',
  failures: 1000,
  siteFailures: 10_000,
  windowMs: 3_600_000,
};

export type RegistrationOutcome =
  | { readonly outcome: 'registered'; readonly user: User }
  | { readonly outcome: 'username-taken' }
  | { readonly outcome: 'refused'; readonly failures: RegistrationFailures }
  | TooManyAttempts;

/** What is wrong with a registration; undefined: nothing. */
export interface RegistrationFailures {
  readonly username: RuleFailure | undefined;
  readonly password: RuleFailure | undefined;
}

/**
 * Registration of users: names and passwords by the rules, limited for each address, recorded.
 *
 * All methods that make a user throw RedisUnavailableError, NotConfirmedError, HashingOverloadedError,
 * UserStoreUnavailableError and UserStoreError.
 */
@Injectable()
export class Registrations {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly hasher: HashingQueue,
    private readonly passwordRules: PasswordRules,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /** Whether anybody may register. A refusal is recorded. */
  admits(origin: Origin): boolean {
    const { isRegistrationOpen } = this.options;
    if (!isRegistrationOpen) {
      this.audit.record({
        type: 'registration-refused',
        result: 'refused',
        reason: 'registration-closed',
        ...origin.facts,
      });
    }
    return isRegistrationOpen;
  }

  async register(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const failures = this.failuresOf(registration);
    if (failures) {
      return { outcome: 'refused', failures };
    }
    const caller = strangerOf(origin);
    return this.recorded(registration, origin, async () =>
      this.isReserved(registration.username)
        ? { outcome: 'username-taken' }
        : this.registerLimited(registration, caller, deadline),
    );
  }

  /** Makes an administrator, also of the name that nobody else may register. */
  async registerAdministrator(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const failures = this.failuresOf(registration);
    if (failures) {
      return { outcome: 'refused', failures };
    }
    return this.recorded(registration, origin, async () =>
      this.create(registration, [ADMINISTRATOR], strangerOf(origin), deadline),
    );
  }

  private async recorded(
    { username }: Registration,
    origin: Origin,
    make: () => Promise<RegistrationOutcome>,
  ): Promise<RegistrationOutcome> {
    const namePseudonym = this.audit.pseudonymOf(canonicalUsername(username));
    const subject = { attempt: 'registration', namePseudonym } as const;
    const result = await recordThrottling<RegistrationOutcome>(this.audit, subject, origin, make);
    if (result.outcome === 'registered') {
      const { id: userId, roles } = result.user;
      const details = { roles };
      const event = { type: 'user-registered', result: 'success', userId } as const;
      this.audit.record({ ...event, ...origin.facts, details });
    } else if (result.outcome === 'username-taken') {
      const event = { type: 'registration-refused', result: 'refused' } as const;
      this.audit.record({ ...event, reason: 'username-taken', namePseudonym, ...origin.facts });
    }
    return result;
  }

  private async registerLimited(
    registration: Registration,
    caller: Caller,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const refusal = await this.limiter.count(REGISTRATIONS_PER_ADDRESS, caller.network, deadline);
    return refusal ?? this.create(registration, [], caller, deadline);
  }

  private async create(
    { username, password, email, displayName }: Registration,
    roles: readonly string[],
    { network }: Caller,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const usernameKey = canonicalUsername(username);
    if (await hasFormerOwner(this.accounts, username, deadline)) {
      return { outcome: 'username-taken' };
    }
    const turn = { network, account: digestOfKey(usernameKey), isKnown: false };
    const user = await this.accounts.create(
      {
        id: randomUUID(),
        username: displayedUsername(username),
        usernameKey,
        email: email ?? null,
        displayName: displayName ?? null,
        roles,
      },
      async () => new Secret(await this.hasher.hash(password, deadline, turn)),
      deadline,
    );
    return user ? { outcome: 'registered', user } : { outcome: 'username-taken' };
  }

  /** Also for names that look like it: they would belong to it. */
  private isReserved(username: string): boolean {
    const { administrator } = this.options;
    return administrator !== undefined && areSameName(administrator.username, username);
  }

  private failuresOf({
    username,
    password,
    email,
    displayName,
  }: Registration): RegistrationFailures | undefined {
    const failures = {
      username: checkUsername(username),
      password: this.passwordRules.check(password, { username, email, displayName }),
    };
    return failures.username || failures.password ? failures : undefined;
  }
}
