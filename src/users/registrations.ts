import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog } from '../audit/index.js';
import { ADMINISTRATOR, type Principal } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import { languageOf } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import type { RuleFailure } from '../common/validation/index.js';
import {
  NewPasswords,
  recordThrottling,
  strangerOf,
  type AcceptedPassword,
  type Caller,
} from '../credentials/index.js';
import { MailOutbox } from '../mail/index.js';
import { RateLimiter, type FailureLimit, type TooManyAttempts } from '../rate-limit/index.js';
import { RoleReader } from '../roles/read/index.js';
import { limitAdministeredMails } from './account-mails/administered-mails.js';
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
import type { Invitation, Registration, User } from './user.js';
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

/** Longer than a registration takes. Then it is known whether the user was created. */
const INVITATION_DELAY_MS = 10_000;
const MISSING_PASSWORD = { isAccepted: false, failure: { code: 'missing' } } as const;
/** An invited user has no password yet: the hash is ''. */
const NO_PASSWORD = { hash: async () => Promise.resolve(new Secret('')) };

/** The outcome of a registration that a client requests. */
export type RequestedRegistrationOutcome =
  InvitationOutcome | { readonly outcome: 'registration-closed' };

export type InvitationOutcome = RegistrationOutcome | { readonly outcome: 'mail-not-configured' };

export type RegistrationOutcome =
  | { readonly outcome: 'registered'; readonly user: User }
  | { readonly outcome: 'username-taken' }
  | { readonly outcome: 'refused'; readonly failures: RegistrationFailures }
  | TooManyAttempts;

export interface RequestedRegistration extends Invitation {
  /** Only callers with the permission `users:write` may omit it. */
  readonly password?: Secret | undefined;
}

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
    private readonly roles: RoleReader,
    private readonly outbox: MailOutbox,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /**
   * Registers a user for a client: for anybody while registration is open, and always for a caller with the permission `users:write`,
   * who may also invite a user without a password.
   */
  async registerFor(
    caller: Principal | undefined,
    request: RequestedRegistration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RequestedRegistrationOutcome> {
    if (caller && (await this.mayCreate(caller, deadline))) {
      return request.password
        ? this.accepted(request, origin, async (password) =>
            this.createUnreserved(request, password, strangerOf(origin), deadline),
          )
        : this.invite(request, origin, deadline);
    }
    if (this.options.isRegistrationOpen) {
      return this.register(request, origin, deadline);
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
    registration: RequestedRegistration,
    origin: Origin,
    deadline: Deadline,
  ): Promise<RegistrationOutcome> {
    const caller = strangerOf(origin);
    return this.accepted(registration, origin, async (password) => {
      const { network } = caller;
      const refusal = await this.limiter.count(REGISTRATIONS_PER_ADDRESS, network, deadline);
      return refusal ?? this.createUnreserved(registration, password, caller, deadline);
    });
  }

  /**
   * Creates a user without a password, and sends the user a link to set one. The mail is stored before the user, so that no crash
   * loses it, and sent at once when the user is there.
   */
  private async invite(
    invitation: Invitation,
    origin: Origin,
    deadline: Deadline,
  ): Promise<InvitationOutcome> {
    const profile = checkProfile(invitation);
    const missing: RuleFailure | undefined =
      invitation.email === undefined ? { code: 'missing-for-invitation' } : undefined;
    const failures = {
      username: checkUsername(invitation.username),
      password: undefined,
      ...profile,
      email: missing ?? profile.email,
    };
    if (hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    if (!this.outbox.isConfigured) {
      return { outcome: 'mail-not-configured' };
    }
    const id = randomUUID();
    const mail = {
      id: `invitation.${id}`,
      kind: 'password-reset',
      data: { userId: id, language: languageOf(origin.acceptLanguage) },
    };
    return this.recorded(invitation, origin, async () => {
      const refusal = await limitAdministeredMails(this.limiter, invitation.email ?? '', deadline);
      if (refusal) {
        return refusal;
      }
      await this.outbox.add({ ...mail, delayMs: INVITATION_DELAY_MS }, deadline);
      const caller = strangerOf(origin);
      const result = await this.createUnreserved(invitation, NO_PASSWORD, caller, deadline, id);
      if (result.outcome === 'registered') {
        // Otherwise it is sent after the delay.
        await this.outbox.add(mail, deadline).catch(() => undefined);
      }
      return result;
    });
  }

  private async mayCreate(caller: Principal, deadline: Deadline): Promise<boolean> {
    const permissions = (await this.roles.current(deadline)).allowedTo(caller);
    return permissions?.includes('users:write') ?? true;
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
    registration: RequestedRegistration,
    origin: Origin,
    make: (password: AcceptedPassword) => Promise<RegistrationOutcome>,
  ): Promise<RegistrationOutcome> {
    const { username, password, email, displayName } = registration;
    const accepted = password
      ? this.passwords.accept(password, { username, email, displayName })
      : MISSING_PASSWORD;
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
    { username, password }: RequestedRegistration,
    origin: Origin,
    make: () => Promise<RegistrationOutcome>,
  ): Promise<RegistrationOutcome> {
    const namePseudonym = this.audit.pseudonymOf(canonicalUsername(username));
    const subject = { attempt: 'registration', namePseudonym } as const;
    const result = await recordThrottling<RegistrationOutcome>(this.audit, subject, origin, make);
    if (result.outcome === 'registered') {
      const { id: userId, roles } = result.user;
      const details = password ? { roles } : { roles, isInvited: true };
      const event = { type: 'user-registered', result: 'success', userId } as const;
      this.audit.record({ ...event, ...origin.facts, details });
    } else if (result.outcome === 'username-taken') {
      const event = { type: 'registration-refused', result: 'refused' } as const;
      this.audit.record({ ...event, reason: 'username-taken', namePseudonym, ...origin.facts });
    }
    return result;
  }

  private async createUnreserved(
    invitation: Invitation,
    password: Pick<AcceptedPassword, 'hash'>,
    caller: Caller,
    deadline: Deadline,
    id = randomUUID() as string,
  ): Promise<RegistrationOutcome> {
    return this.isReserved(invitation.username)
      ? { outcome: 'username-taken' }
      : this.create(invitation, password, [], caller, deadline, id);
  }

  private async create(
    { username, email, displayName }: Invitation,
    password: Pick<AcceptedPassword, 'hash'>,
    roles: readonly string[],
    { network }: Caller,
    deadline: Deadline,
    id = randomUUID() as string,
  ): Promise<RegistrationOutcome> {
    const usernameKey = canonicalUsername(username);
    if (await hasFormerOwner(this.accounts, username, deadline)) {
      return { outcome: 'username-taken' };
    }
    const turn = { network, account: digestOfKey(usernameKey), isKnown: false };
    const user = await this.accounts.create(
      {
        id,
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
