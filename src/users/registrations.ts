import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import { ADMINISTRATOR } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import {
  NewPasswords,
  recordThrottling,
  strangerOf,
  type AcceptedPassword,
  type Caller,
} from '../credentials/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import {
  areSameName,
  canonicalUsername,
  checkUsername,
  digestOfKey,
  displayedUsername,
} from './names/username.js';
import { ACCOUNTS, type Accounts } from './store/accounts.js';
import { hasFormerOwner } from './find-by-username.js';
import { checkProfile, hasFailure, type ProfileFailures } from './profile-rules.js';
import type { Registration, User } from './user.js';
import { USERS_OPTIONS } from './users.module-definition.js';
import type { UsersOptions } from './users.options.js';

/**
 * Every registration counts when it begins, whatever its outcome. A successful one stores a user permanently, and the response
 * for a taken name reveals that the user exists. The limit is high, because many people may share an address.
 */
const REGISTRATIONS_PER_ADDRESS: FailureLimit = {
  name: 'registration-address',
  failures: 1000,
  siteFailures: 10_000,
  windowMs: 3_600_000,
};

/** The outcome of a registration that a client requests. */
export type SelfRegistrationOutcome =
  RegistrationOutcome | { readonly outcome: 'registration-closed' };

export type RegistrationOutcome =
  | { readonly outcome: 'registered'; readonly user: User }
  | { readonly outcome: 'username-taken' }
  | { readonly outcome: 'refused'; readonly failures: RegistrationFailures }
  | TooManyAttempts;

/** The rule that each member breaks; undefined: none. */
export type RegistrationFailures = ProfileFailures &
  Readonly<Record<'username' | 'password', RuleFailure | undefined>>;

/**
 * Registration of users. Applies the rules for names, passwords and profiles and the limit per address, and records events.
 *
 * All methods throw RedisUnavailableError, NotConfirmedError, HashingOverloadedError,
 * UserStoreUnavailableError and UserStoreError.
 */
@Injectable()
export class Registrations {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly passwords: NewPasswords,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /** Registers a user for a client, if the settings allow that. */
  async selfRegister(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<SelfRegistrationOutcome> {
    if (this.options.isRegistrationOpen) {
      return this.register(registration, origin, deadline);
    }
    this.audit.record({
      type: 'registration-refused',
      result: 'refused',
      reason: 'registration-closed',
      ...origin.facts,
    });
    return { outcome: 'registration-closed' };
  }

  /** Registers a user for code of the application, also when self-registration is closed. */
  async register(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const caller = strangerOf(origin);
    return this.accepted(registration, origin, async (password) =>
      this.isReserved(registration.username)
        ? { outcome: 'username-taken' }
        : this.registerLimited(registration, password, caller, deadline),
    );
  }

  /** Creates an administrator. Only this method can register the reserved name. */
  async registerAdministrator(
    registration: Registration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    return this.accepted(registration, origin, async (password) =>
      this.create(registration, password, [ADMINISTRATOR], strangerOf(origin), deadline),
    );
  }

  /** Calls `make` if the registration follows all rules, and records the outcome. */
  private async accepted(
    registration: Registration,
    origin: Origin,
    make: (password: AcceptedPassword) => Promise<RegistrationOutcome>,
  ): Promise<RegistrationOutcome> {
    const { username, password, email, displayName } = registration;
    const accepted = this.passwords.accept(password, { username, email, displayName });
    const failures = {
      username: checkUsername(username),
      password: accepted.isAccepted ? undefined : accepted.failure,
      ...checkProfile(registration),
    };
    if (!accepted.isAccepted || hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    return this.recorded(registration, origin, async () => make(accepted));
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
    password: AcceptedPassword,
    caller: Caller,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const refusal = await this.limiter.count(REGISTRATIONS_PER_ADDRESS, caller.network, deadline);
    return refusal ?? this.create(registration, password, [], caller, deadline);
  }

  private async create(
    { username, email, displayName }: Registration,
    password: AcceptedPassword,
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
      async () => password.hash(deadline, turn),
      deadline,
    );
    return user ? { outcome: 'registered', user } : { outcome: 'username-taken' };
  }

  /** The name of the configured administrator is reserved, and so are names that look like it. */
  private isReserved(username: string): boolean {
    const { administrator } = this.options;
    return administrator !== undefined && areSameName(administrator.username, username);
  }
}
