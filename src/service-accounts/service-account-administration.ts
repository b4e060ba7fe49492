import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { AuditLog, type PendingEvent } from '../audit/index.js';
import type { AdministrationCaller, Permission } from '../common/authentication/index.js';
import type { Deadline } from '../common/deadline/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Secret } from '../common/secret/index.js';
import { RoleReader } from '../roles/read/index.js';
import { failuresOf, type AccountFailures } from './account-rules.js';
import { createSecret, type CreatedSecret } from './client-secret.js';
import { SERVICE_ACCOUNTS_OPTIONS } from './service-accounts.module-definition.js';
import {
  SERVICE_ACCOUNTS_DEFAULTS,
  type ServiceAccountsOptions,
} from './service-accounts.options.js';
import {
  publicKeysOf,
  ServiceAccountStore,
  type AccountChange,
  type AccountSecret,
  type AccountWriteResult,
  type Grantable,
  type ClientKeySet,
  type ServiceAccount,
} from './write/index.js';

export type AccountRefusal = {
  readonly outcome:
    | 'unknown-account'
    /** The account has permissions that the caller lacks, before or after the change. */
    | 'beyond-own-permissions'
    | 'name-taken'
    /** The cluster has the maximum number of accounts. */
    | 'too-many-service-accounts'
    /** The account has the maximum number of secrets. */
    | 'too-many-secrets';
};

/** The input breaks these rules. */
export interface InvalidAccount {
  readonly outcome: 'refused';
  readonly failures: AccountFailures;
}

/** A secret that is shown once. */
export interface NewClientSecret extends AccountSecret {
  readonly secret: Secret;
}

export type AccountCreationOutcome =
  | {
      readonly outcome: 'created';
      readonly account: ServiceAccount;
      /** Absent for an account with public keys. */
      readonly secret?: NewClientSecret;
    }
  | InvalidAccount
  | AccountRefusal;
export type AccountChangeOutcome =
  | { readonly outcome: 'changed'; readonly account: ServiceAccount }
  | InvalidAccount
  | AccountRefusal;
export type AccountDeletionOutcome = { readonly outcome: 'deleted' } | AccountRefusal;
export type SecretCreationOutcome =
  { readonly outcome: 'created'; readonly secret: NewClientSecret } | AccountRefusal;

export interface AccountRequest {
  readonly name: string;
  /** Default: none. */
  readonly permissions?: readonly Permission[] | undefined;
  /** Default: the audience of Keyslot. */
  readonly audiences?: readonly string[] | undefined;
  /** With keys, no secret is created. Default: none. */
  readonly jwks?: ClientKeySet | undefined;
}

/**
 * Service accounts: other services that act for themselves. A caller can only create and change accounts within its own
 * permissions, before and after the change. The write checks that. When a method that narrows access returns, no instance uses
 * the old state.
 *
 * All methods throw RedisUnavailableError; those that write, NotConfirmedError: repeating the call is safe.
 */
@Injectable()
export class ServiceAccountAdministration {
  private readonly audience: string;

  constructor(
    private readonly store: ServiceAccountStore,
    private readonly roles: RoleReader,
    private readonly audit: AuditLog,
    @Inject(SERVICE_ACCOUNTS_OPTIONS) options: ServiceAccountsOptions,
  ) {
    this.audience = options.audience ?? SERVICE_ACCOUNTS_DEFAULTS.audience;
  }

  async list(deadline: Deadline): Promise<ServiceAccount[]> {
    return this.store.list(deadline);
  }

  async find(id: string, deadline: Deadline): Promise<ServiceAccount | undefined> {
    return this.store.find(id, deadline);
  }

  async create(
    actor: AdministrationCaller,
    request: AccountRequest,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AccountCreationOutcome> {
    const failures = failuresOf(request);
    if (hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    const id = randomUUID();
    const { name, jwks = { keys: [] } } = request;
    const secret = jwks.keys.length === 0 ? createSecret() : undefined;
    const given = {
      id,
      name,
      permissions: sortedSet(request.permissions ?? []),
      audiences: [...new Set(request.audiences ?? [this.audience])],
      jwks: publicKeysOf(jwks),
    };
    const { permissions, audiences } = given;
    const result = await this.recorded(
      { type: 'service-account-created', clientId: id, details: { permissions, audiences } },
      origin,
      async () =>
        this.store.create(
          { ...given, ...(secret ? { secret } : {}) },
          await this.grantableBy(actor, deadline),
          deadline,
        ),
    );
    if (result.outcome !== 'done') {
      return this.refusalOf(id, result, 'too-many-service-accounts', origin);
    }
    const createdAt = result.createdAt!;
    const shown = secret && shownSecret(secret, createdAt);
    const secrets = shown ? [{ id: shown.id, createdAt }] : [];
    const account = { ...given, isDisabled: false, createdAt, updatedAt: createdAt, secrets };
    return { outcome: 'created', account, ...(shown ? { secret: shown } : {}) };
  }

  /** Changes the given members. The tokens of a disabled account stay refused when it is enabled again. */
  async change(
    actor: AdministrationCaller,
    id: string,
    change: AccountChange,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AccountChangeOutcome> {
    const failures = failuresOf(change);
    if (hasFailure(failures)) {
      return { outcome: 'refused', failures };
    }
    const { name, isDisabled, jwks } = change;
    const members = { name, permissions: change.permissions, audiences: change.audiences, jwks };
    const given = {
      name,
      isDisabled,
      permissions: change.permissions && sortedSet(change.permissions),
      audiences: change.audiences && [...new Set(change.audiences)],
      jwks: jwks && publicKeysOf(jwks),
    };
    const { permissions, audiences } = given;
    const details = {
      members: namesOf({ ...members, disabled: isDisabled }),
      permissions,
      audiences,
      disabled: isDisabled,
    };
    const result = await this.recorded(
      { type: 'service-account-changed', clientId: id, details },
      origin,
      async () => this.store.change(id, given, await this.grantableBy(actor, deadline), deadline),
    );
    if (result.outcome !== 'done') {
      return this.refusalOf(id, result, 'too-many-service-accounts', origin);
    }
    const account = await this.store.find(id, deadline);
    return account ? { outcome: 'changed', account } : { outcome: 'unknown-account' };
  }

  async delete(
    actor: AdministrationCaller,
    id: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AccountDeletionOutcome> {
    const result = await this.recorded(
      { type: 'service-account-deleted', clientId: id },
      origin,
      async () => this.store.delete(id, await this.grantableBy(actor, deadline), deadline),
    );
    return result.outcome === 'done'
      ? { outcome: 'deleted' }
      : this.refusalOf(id, result, 'too-many-service-accounts', origin);
  }

  async addSecret(
    actor: AdministrationCaller,
    id: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<SecretCreationOutcome> {
    const secret = createSecret();
    const result = await this.recorded(
      { type: 'client-secret-created', clientId: id, details: { secret: secret.id } },
      origin,
      async () =>
        this.store.addSecret(id, secret, await this.grantableBy(actor, deadline), deadline),
    );
    return result.outcome === 'done'
      ? { outcome: 'created', secret: shownSecret(secret, result.createdAt!) }
      : this.refusalOf(id, result, 'too-many-secrets', origin);
  }

  async removeSecret(
    actor: AdministrationCaller,
    id: string,
    secretId: string,
    origin: Origin,
    deadline: Deadline,
  ): Promise<AccountDeletionOutcome> {
    const result = await this.recorded(
      { type: 'client-secret-deleted', clientId: id, details: { secret: secretId } },
      origin,
      async () =>
        this.store.removeSecret(id, secretId, await this.grantableBy(actor, deadline), deadline),
    );
    return result.outcome === 'done'
      ? { outcome: 'deleted' }
      : this.refusalOf(id, result, 'too-many-secrets', origin);
  }

  private async grantableBy(actor: AdministrationCaller, deadline: Deadline): Promise<Grantable> {
    return actor === 'system' ? undefined : (await this.roles.current(deadline)).allowedTo(actor);
  }

  private async recorded(
    event: Pick<PendingEvent, 'type' | 'clientId' | 'details'>,
    origin: Origin,
    change: () => Promise<AccountWriteResult>,
  ): Promise<AccountWriteResult> {
    const isDone = ({ outcome }: AccountWriteResult): boolean => outcome === 'done';
    return this.audit.recordChange([{ ...event, ...origin.facts }], change, isDone);
  }

  private refusalOf(
    clientId: string,
    result: Exclude<AccountWriteResult, { readonly outcome: 'done' }>,
    whenFull: 'too-many-service-accounts' | 'too-many-secrets',
    origin: Origin,
  ): AccountRefusal {
    switch (result.outcome) {
      case 'beyond':
        this.audit.record({
          type: 'permission-refused',
          result: 'refused',
          reason: 'beyond-own-permissions',
          clientId,
          ...origin.facts,
          details: { beyond: result.permission },
        });
        return { outcome: 'beyond-own-permissions' };
      case 'unknown':
        return { outcome: 'unknown-account' };
      case 'name-taken':
        return { outcome: 'name-taken' };
      case 'full':
        return { outcome: whenFull };
    }
  }
}

function hasFailure(failures: AccountFailures): boolean {
  return Object.values(failures).some((failure) => failure !== undefined);
}

/** The members that were sent. */
function namesOf(members: object): string[] {
  return Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].toSorted();
}

function shownSecret({ id, secret }: CreatedSecret, createdAt: Date): NewClientSecret {
  return { id, secret, createdAt };
}
